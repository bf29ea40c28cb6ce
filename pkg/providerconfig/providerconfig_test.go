package providerconfig

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const good = `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: ours
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["*.dkr.ecr.*.amazonaws.com"]
  defaultCacheDuration: "0s"
`

const tokens = good + "  tokenAttributes:\n    serviceAccountTokenAudience: sts.amazonaws.com\n    cacheType: ServiceAccount\n    requireServiceAccount: false\n"

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func version(t *testing.T, text string) Version {
	t.Helper()
	v, err := ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestLoad(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text, version string
		want          string // the problems without the file's name, joined by "; "
	}{
		"good":                   {good, "v1.34.4", ""},
		"JSON":                   {`{"apiVersion":"kubelet.config.k8s.io/v1","kind":"CredentialProviderConfig","providers":[{"name":"x","matchImages":["a.b"],"defaultCacheDuration":"12h0m0s","apiVersion":"credentialprovider.kubelet.k8s.io/v1"}]}`, "v1.34.4", ""},
		"a second document":      {good + "---\nnonsense: [", "v1.34.4", ""},
		"empty":                  {"", "v1.34.4", "the file is empty"},
		"not YAML":               {"a: [", "v1.34.4", "line 1: did not find expected node content"},
		"another kind":           {strings.ReplaceAll(good, "CredentialProviderConfig", "Config"), "v1.34.4", `kind "Config"; want CredentialProviderConfig`},
		"another API":            {strings.ReplaceAll(good, "kubelet.config.k8s.io", "x"), "v1.34.4", `apiVersion "x/v1"; want kubelet.config.k8s.io/v1`},
		"no provider":            {good[:strings.Index(good, "providers")], "v1.34.4", "providers: at least 1 is required"},
		"unknown field":          {good + "  roleARN: x\n", "v1.34.4", "line 8: unknown field roleARN"},
		"unknown field, older":   {good + "  roleARN: x\n", "v1.31.1", ""},
		"wrong case":             {strings.ReplaceAll(good, "matchImages", "matchimages"), "v1.34.4", "line 6: unknown field matchimages"},
		"no duration":            {strings.ReplaceAll(good, "  defaultCacheDuration: \"0s\"\n", ""), "v1.34.4", "providers[0]: defaultCacheDuration is required"},
		"a bad duration":         {strings.ReplaceAll(good, `"0s"`, "-5m"), "v1.34.4", `providers[0]: defaultCacheDuration "-5m" is not a duration such as 12h or 0s`},
		"a path as the name":     {strings.ReplaceAll(good, "name: ours", "name: bin/ours"), "v1.34.4", `providers[0]: name "bin/ours" is not the name of a file`},
		"no name":                {strings.ReplaceAll(good, "name: ours", "name: ''"), "v1.34.4", "providers[0]: name is required"},
		"no pattern":             {strings.ReplaceAll(good, `["*.dkr.ecr.*.amazonaws.com"]`, "[]"), "v1.34.4", "providers[0]: matchImages: at least 1 item is required"},
		"a pattern with [":       {strings.ReplaceAll(good, "*.dkr.ecr.*", "[a"), "v1.34.4", `providers[0]: matchImages: "[a.amazonaws.com" is not valid; want a URL without its scheme`},
		"its apiVersion":         {strings.ReplaceAll(good, "credentialprovider.kubelet.k8s.io/v1", "v1"), "v1.34.4", `providers[0]: apiVersion "v1"; want credentialprovider.kubelet.k8s.io/v1`},
		"a duplicate":            {good + good[strings.Index(good, "- name"):], "v1.34.4", `providers[1]: the name "ours" is a duplicate of one in FILE`},
		"tokens":                 {tokens, "v1.34.4", ""},
		"tokens, 1.33":           {tokens, "v1.33.13", "providers[0]: tokenAttributes.cacheType is an unknown field before kubelet 1.34"},
		"tokens, 1.32":           {tokens, "v1.32.13", "providers[0]: tokenAttributes is an unknown field before kubelet 1.33"},
		"tokens, 1.31":           {tokens, "v1.31.13", ""},
		"no cacheType":           {strings.ReplaceAll(tokens, "    cacheType: ServiceAccount\n", ""), "v1.34.4", "providers[0]: tokenAttributes.cacheType is required; want ServiceAccount or Token"},
		"a bad cacheType":        {strings.ReplaceAll(tokens, "cacheType: ServiceAccount", "cacheType: Pod"), "v1.34.4", `providers[0]: tokenAttributes.cacheType "Pod"; want ServiceAccount or Token`},
		"no audience":            {strings.ReplaceAll(tokens, "sts.amazonaws.com\n", "''\n"), "v1.34.4", "providers[0]: tokenAttributes.serviceAccountTokenAudience is required"},
		"no requirement":         {strings.ReplaceAll(tokens, "    requireServiceAccount: false\n", ""), "v1.34.4", "providers[0]: tokenAttributes.requireServiceAccount is required"},
		"keys, not required":     {tokens + "    requiredServiceAccountAnnotationKeys: [a/b]\n", "v1.34.4", "providers[0]: tokenAttributes.requiredServiceAccountAnnotationKeys needs requireServiceAccount: true"},
		"a duplicate key":        {tokens + "    optionalServiceAccountAnnotationKeys: [a/b, a/b]\n", "v1.34.4", "providers[0]: tokenAttributes: duplicate annotation a/b"},
		"a key of a bad form":    {tokens + "    optionalServiceAccountAnnotationKeys: [a/b/c]\n", "v1.34.4", `providers[0]: tokenAttributes: "a/b/c" is not an annotation; want one such as eks.amazonaws.com/ecr-role-arn`},
		"tokens, v1beta1":        {strings.Replace(tokens, "io/v1", "io/v1beta1", 1), "v1.34.4", "tokenAttributes is an unknown field in kubelet.config.k8s.io/v1beta1; want apiVersion kubelet.config.k8s.io/v1"},
		"tokens of an older API": {strings.ReplaceAll(tokens, "credentialprovider.kubelet.k8s.io/v1", "credentialprovider.kubelet.k8s.io/v1beta1"), "v1.34.4", "providers[0]: tokenAttributes needs apiVersion credentialprovider.kubelet.k8s.io/v1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, filepath.Join(t.TempDir(), "providers"), test.text)
			_, problems := Load(file, version(t, test.version))
			var got []string
			for _, problem := range problems {
				got = append(got, strings.ReplaceAll(strings.TrimPrefix(problem.Error(), file+": "), file, "FILE"))
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "; ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWrongTypes: values whose type a kubelet refuses are problems. The problems do
// not show secrets.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"name: 123":                                       "line 4: name: a number, but the kubelet wants a string; put it in quotes",
		"name: '123'":                                     "",
		"name: !!str 123":                                 "",
		"name: 1.2.3":                                     "",
		"name:":                                           "",
		"apiVersion: 1.0":                                 "line 4: apiVersion: a number, but the kubelet wants a string; put it in quotes",
		"defaultCacheDuration: 0":                         "line 4: defaultCacheDuration: a number, but the kubelet wants a string; put it in quotes",
		"defaultCacheDuration: 0s":                        "",
		"matchImages: [a.b, 1]":                           "line 4: matchImages: a number, but the kubelet wants a string; put it in quotes",
		"args:\n- --port\n- 0x1F":                         "line 6: args: a number, but the kubelet wants a string; put it in quotes",
		"args: [y, 'y', no, Off, True]":                   strings.Repeat("line 4: args: a boolean, but the kubelet wants a string; put it in quotes; ", 4),
		"args: [yep, 2001-01-01, 1e3]":                    "line 4: args: a number, but the kubelet wants a string; put it in quotes",
		"env: [{name: A, value: 987654321}]":              "line 4: value: a number, but the kubelet wants a string; put it in quotes",
		"env: [&a {name: A, value: true}, *a]":            strings.Repeat("line 4: value: a boolean, but the kubelet wants a string; put it in quotes; ", 2),
		"env: [{<<: {value: 987654321}, name: A}]":        "line 4: value: a number, but the kubelet wants a string; put it in quotes",
		"env: secret":                                     "line 4: cannot unmarshal !!str into []Variable",
		"env: [{name: A, value: *secret}]":                "unknown anchor referenced",
		"env: [{name: A, value: [secret]}]":               "line 4: cannot unmarshal !!seq into string",
		"tokenAttributes: {requireServiceAccount: 'yes'}": "line 4: requireServiceAccount: a string, but the kubelet wants true or false without quotes",
		"tokenAttributes: {requireServiceAccount: yes}":   "",
	} {
		file := write(t, filepath.Join(t.TempDir(), "providers"), good[:strings.Index(good, "name: ours")]+strings.ReplaceAll(text, "\n", "\n  ")+"\n")
		var got []string
		_, problems := Read(file, Version{})
		for _, problem := range problems {
			got = append(got, strings.TrimPrefix(problem.Error(), file+": "))
		}
		if diff := cmp.Diff(strings.TrimSuffix(want, "; "), strings.Join(got, "; ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	older := write(t, filepath.Join(t.TempDir(), "providers"), good+"  other: {name: 1}\n")
	if _, problems := Read(older, version(t, "v1.31.0")); len(problems) > 0 {
		t.Errorf("within an unknown field, before 1.32: got %v, want none", problems)
	}
}

// TestPartlyRead: a problem in one field does not hide the other fields.
func TestPartlyRead(t *testing.T) {
	t.Parallel()
	c, problems := Parse([]File{{Path: "providers", Content: []byte(good + "  roleARN: x\n")}}, Version{})
	if len(problems) != 1 || len(c.Providers) != 1 || c.Providers[0].Name != "ours" {
		t.Errorf("got %+v, %v; want ours and one problem", c.Providers, problems)
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "20.yaml"), strings.ReplaceAll(good, "ours", "second"))
	write(t, filepath.Join(dir, "10.json"), good)
	write(t, filepath.Join(dir, "notes.txt"), "nonsense")
	write(t, filepath.Join(dir, "sub", "30.yaml"), good)
	c, problems := Load(dir, version(t, "v1.34.0"))
	if len(problems) > 0 || len(c.Providers) != 2 || c.Providers[0].Name != "ours" || c.Providers[1].Name != "second" {
		t.Errorf("got %+v, %v; want ours and second", c.Providers, problems)
	}
	if _, problems := Load(dir, version(t, "v1.33.0")); len(problems) != 1 || !strings.Contains(problems[0].Error(), "needs kubelet 1.34 or later") {
		t.Errorf("a directory before 1.34: got %v, want one problem", problems)
	}
	write(t, filepath.Join(dir, "30.yml"), good)
	if _, problems := Load(dir, Version{}); len(problems) != 1 || !strings.Contains(problems[0].Error(), "30.yml: providers[0]: the name \"ours\" is a duplicate") {
		t.Errorf("a name in two files: got %v, want one problem", problems)
	}
	if _, problems := Load(filepath.Join(dir, "sub", "none"), Version{}); len(problems) != 1 {
		t.Errorf("no file: got %v, want one problem", problems)
	}
	if _, problems := Load(t.TempDir(), Version{}); len(problems) != 1 {
		t.Errorf("no files: got %v, want one problem", problems)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	const host = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
	for name, test := range map[string]struct {
		pattern, image string
		want           bool
	}{
		"the host":              {host, host + "/app", true},
		"stars":                 {"*.dkr.ecr.*.amazonaws.com", host + "/app", true},
		"a star within a label": {"*.dkr.ecr*.*.amazonaws.com", strings.Replace(host, "ecr", "ecr-fips", 1) + "/app", true},
		"a star crosses no dot": {"*.amazonaws.com", host + "/app", false},
		"another suffix":        {"*.dkr.ecr.*.amazonaws.com", "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/app", false},
		"a path is a prefix":    {host + "/team", host + "/team-b/app", true},
		"another path":          {host + "/team/", host + "/team-b/app", false},
		"a star in a path is an ordinary character": {host + "/*", host + "/app", false},
		"a port":        {host, host + ":443/app", false},
		"the same port": {host + ":443", host + ":443/app", true},
		"a scheme":      {"https://" + host, host + "/app", false},
		"another case":  {"Docker.io", "docker.io/library/nginx", false},
		"a hub":         {"docker.io", "docker.io/library/nginx", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (Provider{MatchImages: []string{test.pattern}}).Matches(test.image); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}

func TestInOrder(t *testing.T) {
	t.Parallel()
	c := Config{Providers: []Provider{{Name: "z", MatchImages: []string{"a.b"}}, {Name: "y", MatchImages: []string{"c.d"}}, {Name: "x", MatchImages: []string{"a.*"}}}}
	names := func(v string) (all []string) {
		for _, p := range c.InOrder("a.b/app", version(t, v)) {
			all = append(all, p.Name)
		}
		return all
	}
	if diff := cmp.Diff([]string{"x", "z"}, names("v1.32.1")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"z", "x"}, names("v1.33.1")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Kubernetes v1.34.4-eks-1a2b3c\n": "1.34", "k3s version v1.33.1+k3s1 (abc)\ngo version go1.24.2": "1.33", "v1.9.0": "1.9",
	} {
		if v, err := ParseVersion(text); err != nil || v.String() != want {
			t.Errorf("%q: %s, %v; want %s", text, v, err, want)
		}
	}
	if _, err := ParseVersion("go1.24"); err == nil {
		t.Error("got no error for go1.24, want one")
	}
}
