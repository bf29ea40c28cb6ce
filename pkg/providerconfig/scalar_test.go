package providerconfig

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestAliases: the check of types ends even if aliases form a cycle, or if each one has
// several others. Kubelets before 1.32 ignore unknown fields, so the decoder refuses none
// of these files.
func TestAliases(t *testing.T) {
	t.Parallel()
	const cycle = "&a [*a]\n"
	for name, test := range map[string]struct{ text, want string }{
		"a cycle in an unknown field":            {good + "  other: " + cycle, ""},
		"many in an unknown field":               {good + "  other: " + doubled(64), ""},
		"a cycle where the field is not known":   {good + "args: " + cycle, ""},
		"many where the field is not known":      {good + "args: " + doubled(64), ""},
		"a cycle of mappings":                    {good + "env: &a {env: *a}\n", ""},
		"a known field with an unknown's anchor": {good + "  other: &a 5\n  args: [*a]\n", "F: line 8: args: a number, but the kubelet wants a string; put it in quotes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := Parse([]File{{Path: "F", Content: []byte(test.text)}}, version(t, "v1.31.0"))
			got := ""
			if err := errors.Join(problems...); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// doubled returns a list whose items have the item before twice.
func doubled(n int) string {
	var s strings.Builder
	s.WriteString("[&a0 [x]")
	for i := range n {
		fmt.Fprintf(&s, ", &a%d [*a%d, *a%d]", i+1, i, i)
	}
	return s.String() + "]\n"
}
