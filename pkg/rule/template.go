package rule

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/spelling"
)

// Template is a text with placeholders in braces, such as pull-{account}.
// ParseTemplate returns one. The zero value is the empty text.
type Template struct{ parts []part }

// part is a literal text or a placeholder.
type part struct{ literal, placeholder string }

// ParseTemplate parses a text that may contain the allowed placeholders.
func ParseTemplate(text string, allowed ...string) (Template, error) {
	var t Template
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
			hint := "; here {" + strings.Join(allowed, "}, {") + "} can be used"
			if similar, ok := spelling.Suggest(name, allowed); ok {
				hint = "; did you mean {" + similar + "}?"
			}
			return Template{}, fmt.Errorf("%q: unknown placeholder %q%s", printable.Long(text), "{"+printable.Long(name)+"}", hint)
		}
		t.parts = append(t.parts, part{placeholder: name})
		rest = remaining
	}
	return t, nil
}

// String returns the template as the configuration writes it. Placeholders that
// already have a value appear as that value.
func (t Template) String() string {
	return t.expand(func(placeholder string) string { return "{" + placeholder + "}" })
}

// MarshalText returns the template as String does. Values contain no braces, so
// placeholders and values differ in the text.
func (t Template) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// with returns the template with values in place of their placeholders. Placeholders
// without a value stay.
func (t Template) with(values map[string]string) Template {
	var filled Template
	for _, p := range t.parts {
		if value, ok := values[p.placeholder]; ok && p.placeholder != "" {
			p = part{literal: value}
		}
		filled.parts = append(filled.parts, p)
	}
	return filled
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
