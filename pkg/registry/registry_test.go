package registry_test

import (
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// world is a partition as AWS documents it. It repeats the package's own table, so
// that a mistake there fails a test.
type world struct {
	partition registry.Partition
	regions   []string
	suffix    string
	fips      bool
	dual      string // "" where no dual-stack registry is known
}

var worlds = []world{
	{registry.AWS, []string{
		"us-east-1", "eu-west-1", "ap-southeast-5", "sa-east-1", "ca-west-1",
		"me-central-1", "af-south-1", "il-central-1", "mx-central-1",
	}, "amazonaws.com", true, "on.aws"},
	{registry.AWSUSGov, []string{"us-gov-east-1", "us-gov-west-1"}, "amazonaws.com", true, "on.aws"},
	{registry.AWSCN, []string{"cn-north-1", "cn-northwest-1"}, "amazonaws.com.cn", false, "on.amazonwebservices.com.cn"},
	{registry.AWSEUSC, []string{"eusc-de-east-1"}, "amazonaws.eu", true, ""},
	{registry.AWSISO, []string{"us-iso-east-1", "us-iso-west-1"}, "c2s.ic.gov", true, ""},
	{registry.AWSISOB, []string{"us-isob-east-1"}, "sc2s.sgov.gov", true, ""},
	{registry.AWSISOE, []string{"eu-isoe-west-1"}, "cloud.adc-e.uk", true, ""},
	{registry.AWSISOF, []string{"us-isof-south-1"}, "csp.hci.ic.gov", true, ""},
}

// form is a form of a registry's host.
type form struct {
	labels          string
	fips, dualStack bool
}

var forms = []form{
	{"dkr.ecr", false, false},
	{"dkr.ecr-fips", true, false},
	{"dkr-ecr", false, true},
	{"dkr-ecr-fips", true, true},
}

// hostSuffix returns the suffix of the hosts of a form. It is "" if the world has no
// such hosts.
func (w world) hostSuffix(f form) string {
	switch {
	case f.fips && !w.fips:
		return ""
	case f.dualStack:
		return w.dual
	}
	return w.suffix
}

func TestParseHostForms(t *testing.T) {
	t.Parallel()
	for _, w := range worlds {
		for _, region := range w.regions {
			for _, f := range forms {
				suffix := w.hostSuffix(f)
				if suffix == "" {
					continue
				}
				host := "012345678901." + f.labels + "." + region + "." + suffix
				t.Run(host, func(t *testing.T) {
					t.Parallel()
					image, ok := registry.Parse(host + "/team-a/app")
					if !ok {
						t.Fatalf("not in ECR: %v", registry.WhyNotECR(host+"/team-a/app"))
					}
					checkRegistry(t, image.Registry(), wantRegistry{
						host: host, account: "012345678901", region: region, partition: w.partition,
						fips: f.fips, dualStack: f.dualStack,
					})
				})
			}
		}
	}
}

// TestParseSuffixOfAnotherPartition combines every region with every suffix, in every
// form. Parse accepts only a region and a suffix of the same partition.
func TestParseSuffixOfAnotherPartition(t *testing.T) {
	t.Parallel()
	suffixes := []string{"aws", "amazonaws.com.evil.example", "example.com"}
	for _, w := range worlds {
		suffixes = append(suffixes, w.suffix)
		if w.dual != "" {
			suffixes = append(suffixes, w.dual)
		}
	}
	for _, w := range worlds {
		t.Run(w.partition.String(), func(t *testing.T) {
			t.Parallel()
			for _, region := range w.regions {
				for _, f := range forms {
					for _, suffix := range suffixes {
						image := "444455556666." + f.labels + "." + region + "." + suffix + "/app"
						_, got := registry.Parse(image)
						if want := suffix == w.hostSuffix(f); got != want {
							t.Errorf("Parse(%q) = %t, want %t", image, got, want)
						}
					}
				}
			}
		})
	}
}

func TestParsePublic(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"public.ecr.aws", "ecr-public.aws.com"} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			image, ok := registry.Parse(host + "/docker/library/busybox:1")
			if !ok {
				t.Fatal("Parse returns false, want true")
			}
			checkRegistry(t, image.Registry(), wantRegistry{host: host, public: true})
			if got, want := image.Repository(), "docker/library/busybox"; got != want {
				t.Errorf("Repository() = %q, want %q", got, want)
			}
		})
	}
}

type wantRegistry struct {
	host, account, region   string
	partition               registry.Partition
	fips, dualStack, public bool
}

func checkRegistry(t *testing.T, r registry.Registry, want wantRegistry) {
	t.Helper()
	got := wantRegistry{
		host: r.Host(), account: r.Account().String(), region: r.Region().String(), partition: r.Partition(),
		fips: r.FIPS(), dualStack: r.DualStack(), public: r.Public(),
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if r.String() != want.host {
		t.Errorf("String() = %q, want %q", r, want.host)
	}
	if got := r.Account().IsZero(); got != want.public {
		t.Errorf("Account().IsZero() = %t, want %t", got, want.public)
	}
	if got := r.Region().IsZero(); got != want.public {
		t.Errorf("Region().IsZero() = %t, want %t", got, want.public)
	}
}

func TestParsePartition(t *testing.T) {
	t.Parallel()
	for _, w := range worlds {
		t.Run(w.partition.String(), func(t *testing.T) {
			t.Parallel()
			if got, err := registry.ParsePartition(w.partition.String()); err != nil || got != w.partition {
				t.Errorf("got %q, %v, want %q", got, err, w.partition)
			}
		})
	}
	for _, bad := range []string{"", "AWS", "aws ", "aws-", "amazonaws.com", "{partition}", "*"} {
		t.Run("bad "+bad, func(t *testing.T) {
			t.Parallel()
			got, err := registry.ParsePartition(bad)
			if err == nil || got != (registry.Partition{}) {
				t.Errorf("got %q, %v, want the zero value and an error", got, err)
			}
		})
	}
	_, err := registry.ParsePartition("aws-us")
	want := `"aws-us" is not a partition; want one of aws, aws-us-gov, aws-cn, aws-eusc, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestParseAccount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		ok       bool
	}{
		{"plain", "444455556666", true},
		{"leading zeros", "000000000012", true},
		{"eleven digits", "44445555666", false},
		{"thirteen digits", "4444555566667", false},
		{"none", "", false},
		{"letter", "44445555666a", false},
		{"dashes", "4444-5555-66", false},
		{"sign", "+44445555666", false},
		{"spaces", " 4444555566 ", false},
		{"newline", "44445555666\n", false},
		{"digits of another script, 12 bytes", "٤٤٤٤٥٥", false},
		{"digits of another script, 12 of them", "٤٤٤٤٥٥٥٥٦٦٦٦", false},
		{"exponent", "4.444556e+11", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := registry.ParseAccount(test.in)
			switch {
			case test.ok && (err != nil || got.String() != test.in || got.IsZero()):
				t.Errorf("got %q, %v, want %q", got, err, test.in)
			case !test.ok && (err == nil || !got.IsZero()):
				t.Errorf("got %q, %v, want the zero value and an error", got, err)
			}
		})
	}
}

// TestMessagesAreShort: a long image name must not make a message long.
func TestMessagesAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 1<<16)
	_, account := registry.ParseAccount(long)
	_, region := registry.ParseRegion(long)
	_, pattern := registry.ParseRegionPattern(long + "*")
	_, upper := registry.ParseRegionPattern("A*" + long)
	_, partition := registry.ParsePartition(long)
	why := registry.WhyNotECR(long)
	host := registry.WhyNotECR(strings.Repeat("1", 500) + ".dkr.ecr.eu-west-1.amazonaws.com/app")
	for i, err := range []error{account, region, pattern, upper, partition, why, host} {
		if err == nil || len(err.Error()) > 250 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d: got %v, want an error in one line of at most 250 characters", i, err)
		}
	}
}

func TestParseRegion(t *testing.T) {
	t.Parallel()
	for _, w := range worlds {
		for _, name := range w.regions {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r, err := registry.ParseRegion(name)
				if err != nil || r.String() != name || r.Partition() != w.partition || r.IsZero() {
					t.Errorf("got %q of %q, %v; want it in %s", r, r.Partition(), err, w.partition)
				}
			})
		}
	}
	good := map[string]registry.Partition{
		"eu-middle-12":     registry.AWS, // a future region
		"us-isox-1":        registry.AWS, // has the form, but no other partition's prefix
		"us-govern-1":      registry.AWS,
		"eusc-de-middle-9": registry.AWSEUSC,
		"us-isof-east-10":  registry.AWSISOF,
	}
	for name, partition := range good {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r, err := registry.ParseRegion(name); err != nil || r.Partition() != partition {
				t.Errorf("got %q of %q, %v; want it in %s", r, r.Partition(), err, partition)
			}
		})
	}
	bad := []string{
		"", "us", "us-", "us-east", "us-east-", "us-east-0", "us-east-01", "us-east-100", "us-east-1a", "us-east-1-1",
		"us-gov-1", "us-iso-1", "us-isox-east-1", "eusc-east-1", "xx-east-1", "useast-1", "-east-1", "us--1",
		"US-EAST-1", "us-East-1", "us-east-1.", "us-east-1\n", " us-east-1", "us-east-１", "us-e*-1", "global", "local",
		"us-" + strings.Repeat("a", 21) + "-1",
	}
	for _, name := range bad {
		t.Run("bad "+name, func(t *testing.T) {
			t.Parallel()
			r, err := registry.ParseRegion(name)
			if err == nil || !r.IsZero() || r.Partition() != (registry.Partition{}) {
				t.Errorf("got %q of %q, %v; want the zero value and an error", r, r.Partition(), err)
			}
		})
	}
}

// TestWorldsAreAll checks that the tests know every partition that the package
// names in its messages.
func TestWorldsAreAll(t *testing.T) {
	t.Parallel()
	_, err := registry.ParsePartition("?")
	_, list, _ := strings.Cut(err.Error(), "want one of ")
	names := strings.Split(list, ", ")
	for _, w := range worlds {
		names = slices.DeleteFunc(names, func(name string) bool { return name == w.partition.String() })
	}
	if len(names) > 0 {
		t.Errorf("worlds does not have the partitions %q", names)
	}
}

// TestPrivate: Private returns the same registry as parsing the standard host.
func TestPrivate(t *testing.T) {
	t.Parallel()
	account, err := registry.ParseAccount("012345670123")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range worlds {
		for _, name := range w.regions {
			region, err := registry.ParseRegion(name)
			if err != nil {
				t.Fatal(err)
			}
			want, ok := registry.Parse("012345670123.dkr.ecr." + name + "." + w.suffix + "/app")
			if got := registry.Private(account, region); !ok || got != want.Registry() {
				t.Errorf("%s: got %+v, want %+v", name, got, want.Registry())
			}
		}
	}
}
