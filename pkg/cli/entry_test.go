package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// anEntry returns an entry of a kubelet's configuration, with a secret in its env.
func anEntry(name, more string) string {
	return "- name: " + name + "\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  matchImages: [\"*.dkr.ecr.*.amazonaws.com\"]\n" +
		"  defaultCacheDuration: 0s\n  env:\n  - {name: AWS_SECRET_ACCESS_KEY, value: secretvalue}\n" + more
}

func kubeletConfig(entries ...string) string {
	return "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n" + strings.Join(entries, "")
}

// kubeletFiles are the files of a directory, by name. A name that ends with a slash
// is a directory.
type kubeletFiles map[string]string

func (files kubeletFiles) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestHostileEntry: refresh and metrics refuse a kubelet's entry that they cannot
// use. They write one line to stderr, without the values of env, and end with
// status 2.
func TestHostileEntry(t *testing.T) {
	t.Parallel()
	good := kubeletConfig(anEntry(Name, ""))
	two := kubeletFiles{"10.yaml": kubeletConfig(anEntry("gcr", "")), "20.yaml": good}
	for name, test := range map[string]struct {
		files kubeletFiles
		path  string // within the files
		args  []string
		want  string // part of the line
	}{
		"absent":               {nil, "p.yaml", nil, "p.yaml: no such file"},
		"an empty path":        {nil, "", nil, "has no file *.json, *.yaml or *.yml"},
		"no files there":       {kubeletFiles{"d/10.yaml/": ""}, "d", nil, "has no file *.json, *.yaml or *.yml"},
		"empty":                {kubeletFiles{"p.yaml": ""}, "p.yaml", nil, "p.yaml: the file is empty"},
		"no text":              {kubeletFiles{"p.yaml": "\x00\x01"}, "p.yaml", nil, "p.yaml: control characters are not allowed"},
		"not YAML":             {kubeletFiles{"p.yaml": good + "  x: ["}, "p.yaml", nil, "p.yaml: line"},
		"too large":            {kubeletFiles{"p.yaml": good + strings.Repeat("#", 1<<20)}, "p.yaml", nil, "p.yaml is larger than 1048576 bytes"},
		"no providers":         {kubeletFiles{"p.yaml": kubeletConfig()}, "p.yaml", nil, "; the providers there: none"},
		"an unknown field":     {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  roleARN: secretvalue\n"))}, "p.yaml", nil, "line 10: unknown field roleARN"},
		"a number for a text":  {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  - {name: AWS_PROFILE, value: 1}\n"))}, "p.yaml", nil, "line 10: value: a number"},
		"a list for a text":    {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  - {name: A, value: [secretvalue]}\n"))}, "p.yaml", nil, "line 10: cannot unmarshal !!seq into string"},
		"a text for a list":    {kubeletFiles{"p.yaml": kubeletConfig("- name: " + Name + "\n  env: secretvalue\n")}, "p.yaml", nil, "line 5: cannot unmarshal !!str into []Variable"},
		"an alias of nothing":  {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  - {name: A, value: *secretvalue}\n"))}, "p.yaml", nil, "unknown anchor referenced"},
		"aliases of aliases":   {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  args: "+billion+"\n"))}, "p.yaml", nil, "p.yaml: "},
		"no entry of ours":     {kubeletFiles{"p.yaml": kubeletConfig(anEntry("gcr", ""))}, "p.yaml", nil, "has no provider named " + Name + "; if another one is this program, name it with --provider; the providers there: gcr"},
		"the stock one beside": {kubeletFiles{"p.yaml": kubeletConfig(anEntry("gcr", ""), anEntry(providerconfig.StockName, ""))}, "p.yaml", nil, "the providers there: gcr, " + providerconfig.StockName},
		"several of ours":      {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, ""), anEntry("pod-"+Name, ""))}, "p.yaml", nil, "has several providers of this program; name one with --provider; the providers there: " + Name + ", pod-" + Name},
		"a duplicate name":     {kubeletFiles{"10.yaml": good, "20.yaml": good}, "", []string{"--provider", Name}, "has several providers \"" + Name + "\""},
		"no such name":         {two, "", []string{"--provider", "x"}, "has no provider \"x\"; the providers there: gcr, " + Name},
		"one file is broken":   {kubeletFiles{"10.yaml": good, "20.yaml": "a: ["}, "", nil, "20.yaml: line 1"},
		"both are broken":      {kubeletFiles{"10.yaml": "a: [", "20.yaml": ""}, "", nil, "20.yaml: the file is empty"},
		"an unknown flag":      {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  args: [--regoin=x]\n"))}, "p.yaml", nil, "args of provider " + Name + " in "},
		"another configuration": {
			kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  args: [get-credentials, --config, /absent/other.yaml]\n"))},
			"p.yaml", nil,
			"/absent/other.yaml",
		},
		"a configuration without name": {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  args: [--config=]\n"))}, "p.yaml", nil, "names no file"},
		"an invalid role":              {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  args: [--role=x]\n"))}, "p.yaml", nil, "--role"},
		"a variable without name":      {kubeletFiles{"p.yaml": kubeletConfig(anEntry(Name, "  - {name: '', value: secretvalue}\n"))}, "p.yaml", nil, `setting variable "" of provider`},
	} {
		for _, verb := range []string{"refresh", "metrics"} {
			t.Run(verb+" "+name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(test.files.write(t), test.path)
				checkRefused(t, append([]string{verb, "--provider-config", path}, test.args...), test.want)
			})
		}
	}
}

// billion is a short list of aliases. A reader that expands them gets a huge one.
const billion = "[&a [x, x, x, x, x, x, x, x, x], &b [*a, *a, *a, *a, *a, *a, *a, *a, *a], &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]]"

// checkRefused runs the program. It wants status 2, and one line on stderr that
// contains a text.
func checkRefused(t *testing.T, args []string, want string) {
	t.Helper()
	set := func(p *Process) {
		p.Setenv = func(name, _ string) error {
			if name == "" {
				return os.ErrInvalid
			}
			return nil
		}
	}
	got := runMain(t, set, args...)
	if got.status != command.Misused || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 || !strings.HasSuffix(got.stderr, "\n") ||
		!strings.Contains(got.stderr, want) || !strings.HasPrefix(got.stderr, Name+": ") {
		t.Errorf("got status %d, stdout %q, stderr %q; want %q", got.status, got.stdout, got.stderr, want)
	}
	if strings.Contains(got.stderr, "secretv") {
		t.Errorf("got stderr %q; want no secret", got.stderr)
	}
}

// TestEntry: refresh finds its entry, and uses the entry's environment and
// arguments.
func TestEntry(t *testing.T) {
	t.Parallel()
	conf := writeConfig(t, "registries: [{accounts: [\"444455556666\"]}]\ncache: {directory: \"\"}\n")
	ours := anEntry(Name, "  args: [get-credentials, --config, "+conf+"]\n")
	for name, test := range map[string]struct {
		files kubeletFiles
		args  []string
	}{
		"alone":                         {kubeletFiles{"p.yaml": kubeletConfig(ours)}, nil},
		"beside others":                 {kubeletFiles{"p.yaml": kubeletConfig(anEntry("gcr", ""), ours)}, nil},
		"in the stock provider's entry": {kubeletFiles{"p.yaml": kubeletConfig(strings.Replace(ours, Name, providerconfig.StockName, 1))}, nil},
		"with a prefix":                 {kubeletFiles{"p.yaml": kubeletConfig(strings.Replace(ours, Name, "aws-"+Name, 1))}, nil},
		"by its name":                   {kubeletFiles{"p.yaml": kubeletConfig(strings.Replace(ours, Name, "mine", 1), anEntry(Name, ""))}, []string{"--provider", "mine"}},
		"in one of two files":           {kubeletFiles{"10.json": "{" + `"apiVersion":"kubelet.config.k8s.io/v1","kind":"CredentialProviderConfig","providers":[]}`, "20.yml": kubeletConfig(ours)}, nil},
		"beside a doubtful one":         {kubeletFiles{"p.yaml": kubeletConfig(anEntry("two words", ""), ours)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environment := map[string]string{}
			got := runMain(t, func(p *Process) {
				p.Setenv = func(name, value string) error { environment[name] = value; return nil }
			}, append([]string{"refresh", "--provider-config", test.files.write(t)}, test.args...)...)
			if want := Name + ": the configuration has no cache, so there is nothing to refresh\n"; got.stderr != want || got.stdout != "" || got.status != command.Misused {
				t.Errorf("got %+v; want stderr %q", got, want)
			}
			if environment["AWS_SECRET_ACCESS_KEY"] != "secretvalue" {
				t.Errorf("got the environment %v; want the entry's secretvalue", environment)
			}
		})
	}
}
