package registry_test

import (
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
)

func TestParseRegionPattern(t *testing.T) {
	t.Parallel()
	good := map[string]bool{ // whether it is exact
		"eu-west-1": true, "us-gov-east-1": true,
		"*": false, "us-*": false, "*-1": false, "us-*-1": false, "eu-w*": false, "**": false, "us-*" + strings.Repeat("a", 60): false, "e*": false, "cn-*": false, "*a*b*": false,
	}
	for text, exact := range good {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			p, err := registry.ParseRegionPattern(text)
			if err != nil || p.String() != text || p.Exact() != exact {
				t.Errorf("got %q, exact %t, %v; want exact %t without an error", p, p.Exact(), err, exact)
			}
		})
	}
	bad := map[string]string{
		"":                               `"" is not a region; want a name such as eu-west-1`,
		"eu":                             `"eu" is not a region; want a name such as eu-west-1`,
		"eu-west-1a":                     `"eu-west-1a" is not a region; want a name such as eu-west-1`,
		"us-?ast-1":                      `"us-?ast-1" is not a region; want a name such as eu-west-1`,
		"US-*":                           `"US-*" is not a pattern of regions; want one such as us-*`,
		"us-[ew]*":                       `"us-[ew]*" is not a pattern of regions; want one such as us-*`,
		"us.*":                           `"us.*" is not a pattern of regions; want one such as us-*`,
		"us-*\n":                         `"us-*\n" is not a pattern of regions; want one such as us-*`,
		"xx-*":                           `"xx-*" matches the regions of no partition; want a pattern such as us-*`,
		"us-*" + strings.Repeat("a", 61): `"us-*` + strings.Repeat("a", 60) + `…" is longer than 64 characters, the limit of a pattern`,
		"useast*":                        `"useast*" matches the regions of no partition; want a pattern such as us-*`,
	}
	for text, want := range bad {
		t.Run("bad "+text, func(t *testing.T) {
			t.Parallel()
			p, err := registry.ParseRegionPattern(text)
			if err == nil || err.Error() != want || p != (registry.RegionPattern{}) {
				t.Errorf("got %q, %v, want only the error %s", p, err, want)
			}
		})
	}
}

func TestRegionPatternMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern  string
		yes, not []string
	}{
		{"eu-west-1", []string{"eu-west-1"}, []string{"eu-west-2", "eu-west-10"}},
		{"*", []string{"eu-west-1", "us-gov-east-1", "cn-north-1"}, nil},
		{"us-*", []string{"us-east-1", "us-gov-west-1", "us-iso-east-1"}, []string{"eu-west-1"}},
		{"us-gov-*", []string{"us-gov-west-1"}, []string{"us-east-1"}},
		{"*-1", []string{"eu-west-1", "cn-north-1"}, []string{"eu-west-2", "eu-west-11"}},
		{"eu-*-1", []string{"eu-west-1", "eu-isoe-west-1"}, []string{"eu-west-2", "us-east-1"}},
		{"eu-west-1*", []string{"eu-west-1", "eu-west-11"}, []string{"eu-west-2"}},
		{"*west*", []string{"eu-west-1", "cn-northwest-1"}, []string{"us-east-1"}},
		{"eu-*west-*1", []string{"eu-west-1", "eu-northwest-21"}, []string{"eu-west-12"}},
		{"us-east-1**", []string{"us-east-1"}, []string{"us-east-2"}},
	}
	for _, test := range tests {
		t.Run(test.pattern, func(t *testing.T) {
			t.Parallel()
			p := pattern(t, test.pattern)
			for _, name := range test.yes {
				if !p.Match(region(t, name)) {
					t.Errorf("does not match %s", name)
				}
			}
			for _, name := range test.not {
				if p.Match(region(t, name)) {
					t.Errorf("matches %s", name)
				}
			}
			if p.Match(registry.Region{}) {
				t.Error("matches the zero Region")
			}
		})
	}
	var zero registry.RegionPattern
	if zero.Match(region(t, "eu-west-1")) || zero.Match(registry.Region{}) {
		t.Error("the zero value matches a region")
	}
}

func TestRegionPatternOverlaps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want bool
	}{
		{"eu-west-1", "eu-west-1", true},
		{"eu-west-1", "eu-west-2", false},
		{"eu-west-1", "eu-*", true},
		{"eu-west-1", "us-*", false},
		{"*", "us-gov-east-1", true},
		{"*", "*", true},
		{"us-*", "*-1", true},
		{"us-*", "eu-*", false},
		{"us-*-1", "us-east-*", true},
		{"us-*-1", "us-*-2", false},
		{"us-e*", "us-w*", false},
		{"us-gov-*", "us-*", true},
		{"*east*", "*west*", true}, // some name, such as eu-westeast-1
		{"us-*1", "*us-1", true},
		{"eu-west-1*", "eu-west-*2", true},
	}
	for _, test := range tests {
		t.Run(test.a+" and "+test.b, func(t *testing.T) {
			t.Parallel()
			a, b := pattern(t, test.a), pattern(t, test.b)
			if a.Overlaps(b) != test.want || b.Overlaps(a) != test.want {
				t.Errorf("got %t and %t, want %t", a.Overlaps(b), b.Overlaps(a), test.want)
			}
		})
	}
}

func TestRegionPatternPartitions(t *testing.T) {
	t.Parallel()
	tests := []struct{ pattern, want string }{
		{"eu-west-1", "aws"},
		{"us-gov-east-1", "aws-us-gov"},
		{"us-isob-east-1", "aws-iso-b"},
		{"us-e*", "aws"},
		{"ap-*", "aws"},
		{"us-*", "aws aws-us-gov aws-iso aws-iso-b aws-iso-f"},
		{"us-g*", "aws aws-us-gov"},
		{"us-gov*", "aws aws-us-gov"}, // us-govern-1 would be of aws
		{"us-gov-*", "aws-us-gov"},
		{"us-iso*", "aws aws-iso aws-iso-b aws-iso-f"},
		{"us-iso-*", "aws-iso"},
		{"us-isob-*-1", "aws-iso-b"},
		{"eu-*", "aws aws-iso-e"},
		{"eu*", "aws aws-eusc aws-iso-e"},
		{"eusc*", "aws-eusc"},
		{"eusc-de-*", "aws-eusc"},
		{"c*", "aws aws-cn"},
		{"cn-*", "aws-cn"},
		{"*", "aws aws-us-gov aws-cn aws-eusc aws-iso aws-iso-b aws-iso-e aws-iso-f"},
		{"*-gov-*", "aws aws-us-gov aws-cn aws-eusc aws-iso aws-iso-b aws-iso-e aws-iso-f"}, // the text before the first "*" is empty
	}
	for _, test := range tests {
		t.Run(test.pattern, func(t *testing.T) {
			t.Parallel()
			var names []string
			for _, p := range pattern(t, test.pattern).Partitions() {
				names = append(names, p.String())
			}
			if got := strings.Join(names, " "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestRegionPatternPartitionsAreComplete: Partitions must include the partition of
// each region that the pattern matches. Otherwise a good configuration would be
// refused.
func TestRegionPatternPartitionsAreComplete(t *testing.T) {
	t.Parallel()
	for _, w := range worlds {
		for _, name := range w.regions {
			for i := range len(name) + 1 {
				p := pattern(t, name[:i]+"*")
				if !p.Match(region(t, name)) || !slices.Contains(p.Partitions(), w.partition) {
					t.Errorf("%s does not match %s, or its Partitions lack %s", p, name, w.partition)
				}
			}
		}
	}
}

func pattern(t testing.TB, text string) registry.RegionPattern {
	t.Helper()
	p, err := registry.ParseRegionPattern(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func region(t testing.TB, name string) registry.Region {
	t.Helper()
	r, err := registry.ParseRegion(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
