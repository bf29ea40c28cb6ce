package install

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// stockJSON is nodeadm's file with additional fields that no kubelet knows.
const stockJSON = `{"apiVersion":"kubelet.config.k8s.io/v1","kind":"CredentialProviderConfig","x":[1.50,true,null,"<&>"],"providers":[
{"name":"ecr-credential-provider","apiVersion":"credentialprovider.kubelet.k8s.io/v1","matchImages":["*.dkr.ecr.*.amazonaws.com"],"defaultCacheDuration":"12h0m0s","future":{"b":1,"a":"\u00e9"},
"env":[{"name":"AWS_PROFILE","value":"hybrid"}]}]}`

const stockYAML = `# the operator's
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig # of all nodes
providers:
# another team's
- name: other
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["registry.example.com"] # theirs
  defaultCacheDuration: "0s"
  args: ['a: b', "#"]
- name: ecr-credential-provider
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages:
  - "*.dkr.ecr.*.amazonaws.com"
  defaultCacheDuration: "12h"
`

func oneEntry(t *testing.T) []provider {
	t.Helper()
	entries, err := providersFor(load(t, oneRole), version(t, "v1.34.0"), false)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func mustEdit(t *testing.T, content string, instead bool) string {
	t.Helper()
	var before []byte
	if content != "" {
		before = []byte(content)
	}
	after, err := edit("config", before, oneEntry(t), instead, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(after)
}

// providersIn reads a configuration like a kubelet that ignores unknown fields.
func providersIn(t *testing.T, content string) []providerconfig.Provider {
	t.Helper()
	c, problems := providerconfig.Parse([]providerconfig.File{{Path: "config", Content: []byte(content)}}, version(t, "v1.31.0"))
	if len(problems) > 0 {
		t.Fatalf("got the problems %v, want none:\n%s", problems, content)
	}
	return c.Providers
}

func names(providers []providerconfig.Provider) string {
	var all []string
	for _, p := range providers {
		all = append(all, p.Name)
	}
	return strings.Join(all, " ")
}

func TestEdit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content string
		instead bool
		want    string
	}{
		"nothing there": {"", false, pluginName},
		"YAML":          {stockYAML, false, pluginName + " other ecr-credential-provider"},
		"YAML, instead": {stockYAML, true, pluginName + " other"},
		"an older name": {strings.ReplaceAll(stockYAML, "name: other", "name: "+olderName), false, pluginName + " ecr-credential-provider"},
		"no providers":  {"apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n", false, pluginName},
		"null":          {"apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n", false, pluginName},
		"flow style":    {"{apiVersion: kubelet.config.k8s.io/v1, kind: CredentialProviderConfig, providers: []}", false, pluginName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := mustEdit(t, test.content, test.instead)
			if got := names(providersIn(t, after)); got != test.want {
				t.Errorf("got providers %s, want %s:\n%s", got, test.want, after)
			}
			if again := mustEdit(t, after, test.instead); again != after {
				t.Errorf("second edit (-want +got):\n%s", cmp.Diff(after, again))
			}
		})
	}
}

// TestEditKeeps: an edit keeps comments, unknown fields, the order of keys and the text
// of numbers. JSON stays JSON.
func TestEditKeeps(t *testing.T) {
	t.Parallel()
	after := mustEdit(t, stockYAML, false)
	for _, text := range []string{"# the operator's\n", " # of all nodes\n", "# another team's\n", `["registry.example.com"] # theirs`, `['a: b', "#"]`} {
		if !strings.Contains(after, text) {
			t.Errorf("want %q, got\n%s", text, after)
		}
	}
	after = mustEdit(t, stockJSON, false)
	if !json.Valid([]byte(after)) {
		t.Fatalf("got %s, want JSON", after)
	}
	var document, former map[string]any
	for text, into := range map[string]*map[string]any{after: &document, stockJSON: &former} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	list, _ := document["providers"].([]any)
	document["providers"] = list[1:]
	if diff := cmp.Diff(former, document); diff != "" {
		t.Errorf("other parts (-want +got):\n%s", diff)
	}
	for _, text := range []string{"1.50", "<&>"} {
		if !strings.Contains(after, text) {
			t.Errorf("want %q, got\n%s", text, after)
		}
	}
}

// TestEnv: our entry keeps the env that the operator set in it. Otherwise it has the env
// of the stock provider's entry, or the given one.
func TestEnv(t *testing.T) {
	t.Parallel()
	profile := []providerconfig.Variable{{Name: "AWS_PROFILE", Value: "hybrid"}}
	after := mustEdit(t, stockJSON, false)
	if diff := cmp.Diff(profile, providersIn(t, after)[0].Env); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	custom := strings.Replace(after, `"hybrid"`, `"custom"`, 1)
	if got := providersIn(t, mustEdit(t, custom, false))[0].Env[0].Value; got != "custom" {
		t.Errorf("got %s, want the operator's custom", got)
	}
	content, err := edit("config", nil, oneEntry(t), false, profile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(profile, providersIn(t, string(content))[0].Env); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEditRefuses(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"a: [":         "config: yaml: line 1: did not find expected node content",
		"- a\n":        "config: it is not a mapping; want apiVersion, kind and providers",
		"a: 1\n---\nb": "config: it has a second YAML document, which the kubelet does not read; remove it",
		"":             "config: it is empty; remove it",
	} {
		if _, err := edit("config", []byte(content), oneEntry(t), false, nil); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", content, err, want)
		}
	}
}

// FuzzEdit: a second edit changes nothing. An edited document has our entry first.
// Without our entry, the document means the same as before the edit.
func FuzzEdit(f *testing.F) {
	f.Add(stockYAML)
	f.Add(stockJSON)
	f.Fuzz(func(t *testing.T, content string) {
		entries := oneEntry(t)
		var before any
		if yaml.Unmarshal([]byte(content), &before) != nil {
			return // such as duplicate keys, which no kubelet accepts
		}
		after, err := edit("config", []byte(content), entries, false, nil)
		if err != nil {
			return
		}
		again, err := edit("config", after, entries, false, nil)
		if err != nil || string(again) != string(after) {
			t.Fatalf("%q: got %q, then %q, error %v, want the same twice", content, after, again, err)
		}
		var stripped any
		o, err := withoutOurs(object{mode: 0o644, content: after})
		if err != nil || yaml.Unmarshal(o.content, &stripped) != nil {
			t.Fatalf("%q: got error %v, want a document without our entries", after, err)
		}
		mapping, _ := before.(map[string]any)
		if _, ok := mapping["providers"].([]any); ok && !strings.Contains(content, pluginName) {
			if diff := cmp.Diff(before, stripped); diff != "" {
				t.Errorf("%q (-want +got):\n%s", content, diff)
			}
		}
	})
}

// TestOddText: unusual texts that a kubelet can read are read, and no entry of others
// is lost.
func TestOddText(t *testing.T) {
	t.Parallel()
	var tabs any
	if err := json.Unmarshal([]byte(stockJSONv1), &tabs); err != nil {
		t.Fatal(err)
	}
	indented, err := json.MarshalIndent(tabs, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"tabs":         string(indented),
		"byte order":   "\ufeff" + stockYAML,
		"Windows":      strings.ReplaceAll(stockYAML, "\n", "\r\n"),
		"alias":        "x: &all\n- name: ecr-credential-provider\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  matchImages: [x.y]\n  defaultCacheDuration: 0s\napiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders: *all\n",
		"alias, entry": "x: &one\n  name: ecr-credential-provider\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  matchImages: [x.y]\n  defaultCacheDuration: 0s\napiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- *one\n",
		"merge key":    "x: &one\n  name: ecr-credential-provider\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\nkind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\nproviders:\n- <<: *one\n  matchImages: [x.y]\n  defaultCacheDuration: 0s\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := mustEdit(t, text, false)
			got := names(providersIn(t, after))
			if !strings.HasPrefix(got, pluginName+" ") || !strings.HasSuffix(got, stockName) {
				t.Errorf("got providers %s, want ours first and the stock one last:\n%s", got, after)
			}
			if json.Valid([]byte(text)) != json.Valid([]byte(after)) {
				t.Errorf("got %s, want the same format as before", after)
			}
			if again := mustEdit(t, after, false); again != after {
				t.Errorf("second edit: got %s, want no change", again)
			}
			if instead := mustEdit(t, text, true); strings.Contains(names(providersIn(t, instead)), stockName) {
				t.Errorf("instead of stock: got %s, want no stock provider", instead)
			}
		})
	}
}

// TestProvidersNoList: a value that is not a list is not overwritten.
func TestProvidersNoList(t *testing.T) {
	t.Parallel()
	_, err := edit("config", []byte("apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders: {name: other}\n"), oneEntry(t), false, nil)
	if err == nil || !strings.Contains(err.Error(), "providers is not a list") {
		t.Errorf("got %v, want an error about providers", err)
	}
}
