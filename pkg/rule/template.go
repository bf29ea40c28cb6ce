package rule

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Template is a text with placeholders in braces, such as pull-{account}.
// ParseTemplate makes it; the zero value is the empty text.
type Template struct {
	text  string
	parts []part
}

type part struct {
	literal     string
	placeholder string // if set, there is no literal
}

// ParseTemplate takes a text in which the allowed placeholders may stand.
func ParseTemplate(text string, allowed ...string) (Template, error) {
	t := Template{text: text}
	for rest := text; rest != ""; {
		literal, after, found := strings.Cut(rest, "{")
		if strings.Contains(literal, "}") {
			return Template{}, fmt.Errorf("%q has a } without a {", printable.Long(text))
		}
		if literal != "" {
			t.parts = append(t.parts, part{literal: literal})
		}
		if !found {
			break
		}
		name, remaining, closed := strings.Cut(after, "}")
		if !closed {
			return Template{}, fmt.Errorf("%q has a { without a }", printable.Long(text))
		}
		if !slices.Contains(allowed, name) {
			return Template{}, fmt.Errorf("%q: unknown placeholder %q; here {%s} can be used",
				printable.Long(text), "{"+printable.Long(name)+"}", strings.Join(allowed, "}, {"))
		}
		t.parts = append(t.parts, part{placeholder: name})
		rest = remaining
	}
	return t, nil
}

// String is the template as it was written.
func (t Template) String() string { return t.text }

// Uses tells whether the placeholder stands in the template.
func (t Template) Uses(placeholder string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.placeholder == placeholder })
}

func (t Template) expand(value func(placeholder string) string) string {
	var s strings.Builder
	for _, p := range t.parts {
		if p.placeholder != "" {
			s.WriteString(value(p.placeholder))
		} else {
			s.WriteString(p.literal)
		}
	}
	return s.String()
}
