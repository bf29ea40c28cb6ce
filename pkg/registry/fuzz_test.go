package registry_test

import (
	"regexp"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// acceptedHost is a pattern that every accepted host of a private registry matches.
var acceptedHost = regexp.MustCompile(`^([0-9]{12})\.dkr[.-]ecr(-fips)?\.([a-z]+(?:-[a-z]+){1,2}-[0-9]{1,2})\.` +
	`(amazonaws\.com(\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$`)

func FuzzParse(f *testing.F) {
	for _, w := range worlds {
		for _, form := range forms {
			f.Add("444455556666." + form.labels + "." + w.regions[0] + "." + w.suffix + "/app:v1")
			f.Add("444455556666." + form.labels + "." + w.regions[0] + "." + w.dual + "/app")
		}
	}
	f.Add("public.ecr.aws/eks/pause:3.10")
	f.Add("user:secret@" + host + "/app")
	f.Add(host + ":443/team-a/app:v1" + digest)
	f.Fuzz(func(t *testing.T, name string) {
		image, ok := registry.Parse(name)
		if why := registry.WhyNotECR(name); (why == nil) != ok {
			t.Fatalf("Parse reports %t, and WhyNotECR returns %v; want true and nil, or false and an error", ok, why)
		}
		if !ok {
			if image != (registry.Image{}) {
				t.Fatalf("got %+v for a rejected name, want the zero value", image)
			}
			return
		}
		checkAccepted(t, name, image)
	})
}

func checkAccepted(t *testing.T, name string, image registry.Image) {
	t.Helper()
	if !strings.HasPrefix(name, image.Server()) || !strings.HasPrefix(name, image.String()) {
		t.Errorf("server %q or image %q is not a prefix of the name", image.Server(), image)
	}
	if rest := name[len(image.String()):]; rest != "" && rest[0] != ':' && rest[0] != '@' {
		t.Errorf("the rest %q is neither a tag nor a digest", rest)
	}
	if again, ok := registry.Parse(image.String()); !ok || again != image {
		t.Errorf("parsed again: got %+v, %t, want %+v", again, ok, image)
	}
	reg := image.Registry()
	if got := strings.TrimSuffix(image.Server(), ":443"); got != reg.Host() {
		t.Errorf("got server %q, want %q", got, reg.Host())
	}
	if reg.Public() {
		if h := reg.Host(); h != "public.ecr.aws" && h != "ecr-public.aws.com" {
			t.Errorf("host %q is not ECR Public's", h)
		}
		return
	}
	parts := acceptedHost.FindStringSubmatch(reg.Host())
	if parts == nil {
		t.Fatalf("the host %q of the registry does not match the pattern", reg.Host())
	}
	if reg.Account().String() != parts[1] || reg.Region().String() != parts[3] || reg.FIPS() != (parts[2] != "") {
		t.Errorf("host %q gives account %s, region %s, FIPS %t", reg.Host(), reg.Account(), reg.Region(), reg.FIPS())
	}
	if reg.Partition() == (registry.Partition{}) {
		t.Errorf("the registry with host %q has no partition", reg.Host())
	}
}

func FuzzRegionPattern(f *testing.F) {
	f.Add("us-*", "*-1", "us-east-1")
	f.Add("eu-west-1", "eu-*", "eu-west-1")
	f.Add("us-gov-*", "us-*", "us-gov-west-1")
	f.Add("*a*a*a*a", "a*a*a*a*", "ap-east-1")
	f.Add("cn-*", "eusc-de-*", "cn-north-1")
	f.Fuzz(func(t *testing.T, first, second, name string) {
		if len(first)+len(second) > 1<<10 {
			t.Skip("longer than any region's name")
		}
		p, err := registry.ParseRegionPattern(first)
		if err != nil {
			if p != (registry.RegionPattern{}) {
				t.Fatalf("got %q for a rejected pattern, want the zero value", p)
			}
			return
		}
		r, err := registry.ParseRegion(name)
		matches := err == nil && p.Match(r)
		if err == nil {
			model := regexp.MustCompile("^" + strings.ReplaceAll(first, "*", ".*") + "$")
			if matches != model.MatchString(name) {
				t.Fatalf("%q matches %q: got %t, want %t", first, name, matches, !matches)
			}
		}
		q, err := registry.ParseRegionPattern(second)
		if err != nil {
			return
		}
		if p.Overlaps(q) != q.Overlaps(p) {
			t.Errorf("%q overlaps %q: %t, but %q overlaps %q: %t", p, q, p.Overlaps(q), q, p, q.Overlaps(p))
		}
		if matches && q.Match(r) && !p.Overlaps(q) {
			t.Errorf("%q and %q both match %q, but Overlaps returns false", p, q, r)
		}
		if !p.Overlaps(p) {
			t.Errorf("%q does not overlap itself", p)
		}
	})
}
