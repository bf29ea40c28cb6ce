package rule

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Tag is a session tag. Its value may contain placeholders.
type Tag struct {
	Key   string   `json:"key"`
	Value Template `json:"value"`
}

// TagValue is a session tag as STS gets it.
type TagValue struct{ Key, Value string }

// These are the limits of session tags.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// WithTag adds a session tag. Its value can contain the given placeholders.
func (r RoleTemplate) WithTag(key, value string, placeholders []string) (RoleTemplate, error) {
	switch {
	case key == "" || utf8.RuneCountInString(key) > maxTagKey || !isTagText(key):
		return r, fmt.Errorf("%q: a session tag's key has 1 to %d letters, digits, spaces or any of _.:/=+-@", printable.Long(key), maxTagKey)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return r, fmt.Errorf("%q: keys that start with aws: are AWS's own", printable.Long(key))
	case slices.ContainsFunc(r.tags, func(t Tag) bool { return strings.EqualFold(t.Key, key) }):
		return r, fmt.Errorf("duplicate key %q; keys that differ only in case are the same", printable.Long(key))
	case len(r.tags) == maxTags:
		return r, fmt.Errorf("a session has at most %d tags", maxTags)
	}
	template, err := ParseTemplate(value, placeholders...)
	if err != nil {
		return r, err
	}
	t := Tag{key, template}
	if _, err := t.expand(func(string) string { return "" }); err != nil {
		return r, err
	}
	r.tags = append(slices.Clone(r.tags), t)
	return r, nil
}

func (t Tag) expand(value func(placeholder string) string) (TagValue, error) {
	text := t.Value.expand(value)
	if utf8.RuneCountInString(text) > maxTagValue || !isTagText(text) {
		return TagValue{}, fmt.Errorf("session tag %q: %q: a value has at most %d letters, digits, spaces or any of _.:/=+-@",
			printable.Long(t.Key), printable.Long(text), maxTagValue)
	}
	return TagValue{t.Key, text}, nil
}

// isTagText reports whether s matches [\p{L}\p{Z}\p{N}_.:/=+\-@]*.
func isTagText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsNumber(c) && !unicode.Is(unicode.Z, c) && !strings.ContainsRune("_.:/=+-@", c)
	})
}
