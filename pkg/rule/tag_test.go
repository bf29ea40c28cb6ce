package rule_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"ecr-cross-account-credential-provider/pkg/rule"
)

func TestWithTag(t *testing.T) {
	t.Parallel()
	pod := values{Node: node, Namespace: "shop", ServiceAccount: "web"}
	tests := []struct{ name, key, value, want string }{
		{"plain", "cluster", "prod", "prod"},
		{"no value", "cluster", "", ""},
		{"one letter", "c", "p", "p"},
		{"longest key", strings.Repeat("k", 128), "x", "x"},
		{"longest key of other letters", strings.Repeat("ü", 128), "x", "x"},
		{"longest value", "k", strings.Repeat("v", 256), strings.Repeat("v", 256)},
		{"longest value of other letters", "k", strings.Repeat("語", 256), strings.Repeat("語", 256)},
		{"all letters", "aZ0 _.:/=+-@é٣", "aZ0 _.:/=+-@é٣", "aZ0 _.:/=+-@é٣"},
		{"aws without colon", "aws", "aws", "aws"},
		{"aws inside", "x-aws:y", "x", "x"},
		{"all placeholders", "k", "{node}/{account}/{region}/{namespace}/{serviceAccount}", "node-1/444455556666/eu-west-1/shop/web"},
		{"a repeated placeholder", "k", "{node}{node}", "node-1node-1"},
		{"placeholder between other text", "k", "a {region} b", "a eu-west-1 b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			role := withTag(t, newRole(t, pull), test.key, test.value)
			if !role.HasTags() {
				t.Error("HasTags() = false, want true")
			}
			got, err := parameters(role, newImage(t, teamA+"/eu-west-1/app").Registry(), nil, pod)
			if err != nil {
				t.Fatal(err)
			}
			if want := []rule.TagValue{{Key: test.key, Value: test.want}}; !reflect.DeepEqual(got.Tags, want) {
				t.Errorf("got %+v, want %+v", got.Tags, want)
			}
		})
	}
	if newRole(t, pull).HasTags() {
		t.Error("a new role has tags, want none")
	}
}

func TestWithTagBad(t *testing.T) {
	t.Parallel()
	const (
		aKey   = ": a session tag's key has 1 to 128 letters, digits, spaces or any of _.:/=+-@"
		aValue = ": a value has at most 256 letters, digits, spaces or any of _.:/=+-@"
		awsOwn = ": keys that start with aws: are AWS's own"
		twice  = "; keys that differ only in case are the same"
		here   = "; here {node}, {account}, {region}, {namespace}, {serviceAccount} can be used"
	)
	tests := []struct{ name, key, value, want string }{
		{"no key", "", "x", `""` + aKey},
		{"long key", strings.Repeat("k", 129), "x", `"` + strings.Repeat("k", 129) + `"` + aKey},
		{"long key of other letters", strings.Repeat("ü", 129), "x", "…\"" + aKey},
		{"endless key", strings.Repeat("k", 1<<20), "x", "…\"" + aKey},
		{"newline in the key", "a\nb", "x", `"a\nb"` + aKey},
		{"tab in the key", "a\tb", "x", `"a\tb"` + aKey},
		{"NUL in the key", "a\x00", "x", `"a\x00"` + aKey},
		{"key that is not UTF-8", "a\xff", "x", `"a\xff"` + aKey},
		{"comma in the key", "a,b", "x", `"a,b"` + aKey},
		{"star in the key", "*", "x", `"*"` + aKey},
		{"placeholder in the key", "{account}", "x", `"{account}"` + aKey},
		{"YAML's merge", "<<", "x", `"<<"` + aKey},
		{"aws:", "aws:PrincipalTag", "x", `"aws:PrincipalTag"` + awsOwn},
		{"AWS:", "AWS:x", "x", `"AWS:x"` + awsOwn},
		{"aws: alone", "Aws:", "x", `"Aws:"` + awsOwn},
		{"duplicate", "team", "x", `duplicate key "team"` + twice},
		{"duplicate except for case", "TEAM", "x", `duplicate key "TEAM"` + twice},

		{"long value", "k", strings.Repeat("v", 257), `session tag "k": "` + strings.Repeat("v", 200) + `…"` + aValue},
		{"long value before a placeholder", "k", strings.Repeat("v", 257) + "{node}", `…"` + aValue},
		{"newline in the value", "k", "a\n", `session tag "k": "a\n"` + aValue},
		{"NUL in the value", "k", "a\x00", `session tag "k": "a\x00"` + aValue},
		{"value that is not UTF-8", "k", "\xc3", `session tag "k": "\xc3"` + aValue},
		{"comma in the value", "k", "a,b", `session tag "k": "a,b"` + aValue},
		{"quote in the value", "k", `a"b`, `session tag "k": "a\"b"` + aValue},
		{"emoji", "k", "🐳", `session tag "k": "🐳"` + aValue},
		{"unknown placeholder", "k", "{pod}", `"{pod}": unknown placeholder "{pod}"` + here},
		{"open brace", "k", "{node", `"{node" has a { without a }`},
		{"closing brace", "k", "node}", `"node}" has a } without a {`},
		{"key of line separators", strings.Repeat("\u2028", 128), "\n", `…": "\n"` + aValue},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			role := withTag(t, newRole(t, pull), "team", "a")
			role, err := role.WithTag(test.key, test.value, rule.Placeholders(true))
			if err == nil {
				t.Fatal("got no error, want one")
			}
			checkMessage(t, err)
			if !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
			if got := resolve(t, role, teamA+"/eu-west-1/app").Tags; !reflect.DeepEqual(got, []rule.TagValue{{Key: "team", Value: "a"}}) {
				t.Errorf("in spite of the error, the tags became %+v, want only team", got)
			}
		})
	}
}

// TestTagPlaceholders: {namespace} and {serviceAccount} are allowed only if a service
// account is the source.
func TestTagPlaceholders(t *testing.T) {
	t.Parallel()
	for _, placeholder := range []string{"{namespace}", "{serviceAccount}"} {
		_, err := newRole(t, pull).WithTag("k", placeholder, rule.Placeholders(false))
		want := fmt.Sprintf("%q: unknown placeholder %q; here {node}, {account}, {region} can be used", placeholder, placeholder)
		if err == nil || err.Error() != want {
			t.Errorf("tag: got %v\nwant %s", err, want)
		}
		if _, err = newRole(t, pull).WithSessionName(placeholder, rule.Placeholders(false)); err == nil || err.Error() != want {
			t.Errorf("session name: got %v\nwant %s", err, want)
		}
	}
	role, err := newRole(t, pull).WithSessionName("{namespace}.{serviceAccount}@{node}", rule.Placeholders(true))
	if err != nil {
		t.Fatal(err)
	}
	got, err := parameters(role, newImage(t, teamA+"/eu-west-1/app").Registry(), nil, values{Node: node, Namespace: "shop", ServiceAccount: "w/b"})
	if err != nil || got.SessionName != "shop.w-b@node-1" {
		t.Errorf("got %q, %v, want shop.w-b@node-1", got.SessionName, err)
	}
}

// TestTagValuesAtUse: Parameters checks a tag's value after it fills in the node's
// name.
func TestTagValuesAtUse(t *testing.T) {
	t.Parallel()
	const bad = ": a value has at most 256 letters, digits, spaces or any of _.:/=+-@"
	tests := []struct{ name, value, node, want, wantErr string }{
		{"good", "{node}", "i-0abc", "i-0abc", ""},
		{"other letters", "{node}", "knoten ü", "knoten ü", ""},
		{"empty", "{node}", "", "", ""},
		{"the maximum length", "{node}", strings.Repeat("h", 256), strings.Repeat("h", 256), ""},
		{"braces", "{node}", "{account}", "", `session tag "k": "{account}"` + bad},
		{"newline", "{node}", "a\nb", "", `session tag "k": "a\nb"` + bad},
		{"not UTF-8", "{node}", "\xff", "", `session tag "k": "\xff"` + bad},
		{"too long", "{node}", strings.Repeat("h", 257), "", `session tag "k": "` + strings.Repeat("h", 200) + `…"` + bad},
		{"too long with the rest", "{region}{node}", strings.Repeat("h", 250), "", `…"` + bad},
		{"endless", "{node}", strings.Repeat("\x00", 100<<10), "", `…"` + bad},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			role := withTag(t, newRole(t, pull), "k", test.value)
			got, err := parameters(role, newImage(t, teamA+"/eu-west-1/app").Registry(), nil, values{Node: func() string { return test.node }})
			if test.wantErr != "" {
				if err == nil || !strings.HasSuffix(err.Error(), test.wantErr) {
					t.Fatalf("got %v\nwant %s", err, test.wantErr)
				}
				checkMessage(t, err)
				if !reflect.DeepEqual(got, rule.Parameters{}) {
					t.Errorf("got an error and parameters %+v, want only the error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Tags[0].Value != test.want {
				t.Errorf("got %q, want %q", got.Tags[0].Value, test.want)
			}
		})
	}
}

// TestTagsAskForTheNodeLate: a tag without {node} needs no node name, and no call
// to IMDS.
func TestTagsAskForTheNodeLate(t *testing.T) {
	t.Parallel()
	role, err := withTag(t, newRole(t, pull), "k", "{account}").WithSessionName("kubelet", nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := func() string {
		t.Error("Parameters asks for the node's name")
		return ""
	}
	for _, f := range []values{{}, {Node: asked}} {
		if got, err := parameters(role, newImage(t, teamA+"/eu-west-1/app").Registry(), nil, f); err != nil || got.Tags[0].Value != teamA {
			t.Errorf("got %+v, %v, want the tag %s", got, err, teamA)
		}
	}
}

// TestParametersWithoutNode: the name of the node can be empty.
func TestParametersWithoutNode(t *testing.T) {
	t.Parallel()
	got, err := parameters(newRole(t, pull), newImage(t, teamA+"/eu-west-1/app").Registry(), nil, values{})
	if err != nil || got.ARN != pull || !stsName.MatchString(got.SessionName) {
		t.Errorf("got %+v, %v, want ARN %s and a valid session name", got, err, pull)
	}
}

func TestFiftyTags(t *testing.T) {
	t.Parallel()
	role := newRole(t, pull)
	var want []rule.TagValue
	for i := range 50 {
		key := fmt.Sprintf("key-%d", i)
		role = withTag(t, role, key, "x")
		want = append(want, rule.TagValue{Key: key, Value: "x"})
	}
	if _, err := role.WithTag("more", "x", nil); err == nil || err.Error() != "a session has at most 50 tags" {
		t.Errorf("got %v, want the limit of 50 tags", err)
	}
	if got := resolve(t, role, teamA+"/eu-west-1/app").Tags; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestWithTagLeavesTheOriginal: two templates that derive from one template don't
// share tags.
func TestWithTagLeavesTheOriginal(t *testing.T) {
	t.Parallel()
	origin := withTag(t, withTag(t, withTag(t, newRole(t, pull), "a", "1"), "b", "2"), "c", "3")
	one, two := withTag(t, origin, "d", "one"), withTag(t, origin, "d", "two")
	for want, role := range map[string]rule.RoleTemplate{"one": one, "two": two} {
		if got := resolve(t, role, teamA+"/eu-west-1/app").Tags; len(got) != 4 || got[3].Value != want {
			t.Errorf("got %+v, want d=%s", got, want)
		}
	}
	if got := resolve(t, origin, teamA+"/eu-west-1/app").Tags; len(got) != 3 {
		t.Errorf("the original has the tags %+v, want 3", got)
	}
}

// FuzzTag: either the tag is valid for STS, or there is an error.
func FuzzTag(f *testing.F) {
	f.Add("cluster", "prod-{node}", "i-0abc")
	f.Add("aws:x", "{", "\n")
	f.Add("ü", "{namespace}", strings.Repeat("x", 300))
	f.Fuzz(func(t *testing.T, key, value, text string) {
		role, err := newRole(t, pull).WithTag(key, value, rule.Placeholders(true))
		if err != nil {
			checkMessage(t, err)
			return
		}
		said := func() string { return text }
		got, err := parameters(role, newImage(t, teamA+"/us-east-1/app").Registry(), nil, values{Node: said, Namespace: text, ServiceAccount: text})
		if err != nil {
			checkMessage(t, err)
			return
		}
		tag := got.Tags[0]
		if tag.Key != key || !stsTagKey.MatchString(key) || !stsTagValue.MatchString(tag.Value) {
			t.Errorf("got the invalid tag %+v from %q and %q", tag, value, text)
		}
		if n := utf8.RuneCountInString(tag.Value); n > 256 || !utf8.ValidString(key+tag.Value) {
			t.Errorf("got a value of %d characters, want at most 256 in UTF-8: %q", n, tag.Value)
		}
	})
}

func withTag(t *testing.T, role rule.RoleTemplate, key, value string) rule.RoleTemplate {
	t.Helper()
	tagged, err := role.WithTag(key, value, rule.Placeholders(true))
	if err != nil {
		t.Fatal(err)
	}
	return tagged
}
