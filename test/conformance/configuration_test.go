package conformance

import (
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

const minimal = `apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: ` + name + `
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: ["*.dkr.ecr.*.amazonaws.com"]
  defaultCacheDuration: 0s
`

const withToken = minimal + `  tokenAttributes:
    serviceAccountTokenAudience: sts.amazonaws.com
    requireServiceAccount: true
    cacheType: ServiceAccount
`

// TestRefusals: pkg/providerconfig refuses exactly what a kubelet of the release
// refuses. doctor, validate and refresh use that package. (The package differs from the
// kubelet only for null in a list: the kubelet reads an empty string, and yaml.v3 reads no
// value.)
func TestRefusals(t *testing.T) {
	t.Parallel()
	replaced := func(text, old, with string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("%q is not in %s", old, text)
		}
		return strings.ReplaceAll(text, old, with)
	}
	cases := map[string]string{
		"minimal":                               minimal,
		"with token":                            withToken,
		"a second document":                     minimal + "---\nkind: [\n",
		"another kind":                          replaced(minimal, "CredentialProviderConfig", "KubeletConfiguration"),
		"another group":                         replaced(minimal, "kubelet.config.k8s.io", "example.com"),
		"the configuration's apiVersion":        replaced(minimal, "kubelet.config.k8s.io/v1", "kubelet.config.k8s.io/v1alpha1"),
		"an unknown apiVersion":                 replaced(minimal, "kubelet.config.k8s.io/v1", "kubelet.config.k8s.io/v2"),
		"no provider":                           minimal[:strings.Index(minimal, "providers:")],
		"an unknown field":                      minimal + "  x: y\n",
		"a field in small letters":              replaced(minimal, "matchImages", "matchimages"),
		"a duplicate field":                     minimal + "  defaultCacheDuration: 0s\n",
		"a duplicate name":                      minimal + minimal[strings.Index(minimal, "- name"):],
		"a path for a name":                     replaced(minimal, "- name: ", "- name: bin/"),
		"another valid apiVersion":              replaced(minimal, "credentialprovider.kubelet.k8s.io/v1", "credentialprovider.kubelet.k8s.io/v1beta1"),
		"no patterns":                           replaced(minimal, `["*.dkr.ecr.*.amazonaws.com"]`, "[]"),
		"a string for patterns":                 replaced(minimal, `["*.dkr.ecr.*.amazonaws.com"]`, "a.b"),
		"a bad pattern":                         replaced(minimal, `"*.dkr.ecr.*.amazonaws.com"`, `"[a"`),
		"an empty pattern":                      replaced(minimal, `"*.dkr.ecr.*.amazonaws.com"`, `""`),
		"a number for a pattern":                replaced(minimal, `"*.dkr.ecr.*.amazonaws.com"`, "1"),
		"a number for a duration":               replaced(minimal, "0s", "0"),
		"a quoted number for a duration":        replaced(minimal, "0s", "'0'"),
		"another duration":                      replaced(minimal, "0s", "12h0m0s"),
		"a duration without unit":               replaced(minimal, "0s", "'12'"),
		"a negative duration":                   replaced(minimal, "0s", "-1s"),
		"no duration":                           replaced(minimal, "0s", ""),
		"a number for an argument":              minimal + "  args: [--port, 8080]\n",
		"a quoted number for an argument":       minimal + "  args: [--port, '8080']\n",
		"a tagged number for an argument":       minimal + "  args: [--port, !!str 8080]\n",
		"a float for an argument":               minimal + "  args: [1.5]\n",
		"an exponent for an argument":           minimal + "  args: [1e3]\n",
		"a version for an argument":             minimal + "  args: [1.2.3]\n",
		"an octal for an argument":              minimal + "  args: [0o17]\n",
		"a number with underscores":             minimal + "  args: [1_000]\n",
		"a date for an argument":                minimal + "  args: [2001-01-01]\n",
		"a boolean for a variable":              minimal + "  env: [{name: A, value: true}]\n",
		"yes for a variable":                    minimal + "  env: [{name: A, value: yes}]\n",
		"a quoted yes for a variable":           minimal + "  env: [{name: A, value: 'yes'}]\n",
		"y for a variable":                      minimal + "  env: [{name: A, value: y}]\n",
		"nothing for a variable":                minimal + "  env: [{name: A, value: }]\n",
		"infinity for a variable":               minimal + "  env: [{name: A, value: .inf}]\n",
		"an alias for a variable":               minimal + "  env: [&a {name: A, value: 1}, *a]\n",
		"a merged variable":                     minimal + "  env: [{<<: {value: 1}, name: A}]\n",
		"an unknown field of a variable":        minimal + "  env: [{name: A, value: b, secret: c}]\n",
		"yes for a boolean":                     replaced(withToken, "requireServiceAccount: true", "requireServiceAccount: yes"),
		"a quoted yes for a boolean":            replaced(withToken, "requireServiceAccount: true", "requireServiceAccount: 'yes'"),
		"a number for a boolean":                replaced(withToken, "requireServiceAccount: true", "requireServiceAccount: 1"),
		"no boolean":                            replaced(withToken, "requireServiceAccount: true", "requireServiceAccount:"),
		"no audience":                           replaced(withToken, "sts.amazonaws.com", "''"),
		"another cache type":                    replaced(withToken, "cacheType: ServiceAccount", "cacheType: Pod"),
		"no cache type":                         replaced(withToken, "    cacheType: ServiceAccount\n", ""),
		"tokens of the provider's v1beta1":      replaced(withToken, "credentialprovider.kubelet.k8s.io/v1", "credentialprovider.kubelet.k8s.io/v1beta1"),
		"tokens of the configuration's v1beta1": replaced(withToken, "kubelet.config.k8s.io/v1", "kubelet.config.k8s.io/v1beta1"),
		"an annotation":                         withToken + "    requiredServiceAccountAnnotationKeys: [Eks.amazonaws.com/ECR_role-arn]\n",
		"an annotation without domain":          withToken + "    requiredServiceAccountAnnotationKeys: [role]\n",
		"an annotation without name":            withToken + "    requiredServiceAccountAnnotationKeys: [eks.amazonaws.com/]\n",
		"an annotation with two slashes":        withToken + "    requiredServiceAccountAnnotationKeys: [a/b/c]\n",
		"an annotation with an empty domain":    withToken + "    requiredServiceAccountAnnotationKeys: [/b]\n",
		"an annotation's long name":             withToken + "    requiredServiceAccountAnnotationKeys: [a/" + strings.Repeat("b", 64) + "]\n",
		"an annotation's long domain":           withToken + "    requiredServiceAccountAnnotationKeys: [" + strings.Repeat("abcdefg.", 32) + "com/b]\n",
		"an annotation's domain with _":         withToken + "    requiredServiceAccountAnnotationKeys: [a_b/c]\n",
		"an annotation that ends with a dash":   withToken + "    requiredServiceAccountAnnotationKeys: [a/b-]\n",
		"an empty annotation":                   withToken + "    requiredServiceAccountAnnotationKeys: ['']\n",
		"an annotation in both lists":           withToken + "    requiredServiceAccountAnnotationKeys: [a/b]\n    optionalServiceAccountAnnotationKeys: [a/b]\n",
		"a required key, an optional account":   replaced(withToken, "true", "false") + "    requiredServiceAccountAnnotationKeys: [a/b]\n",
	}
	for _, r := range releases {
		version, err := providerconfig.ParseVersion("v" + r.version + ".0")
		if err != nil {
			t.Fatal(err)
		}
		for title, text := range cases {
			t.Run(r.version+" "+title, func(t *testing.T) {
				t.Parallel()
				node := install(t, name)
				path := node.path("providers.yaml")
				writeFile(t, path, text, 0o644)
				_, log, err := r.run(t, kubelet{Config: path, BinDir: node.dir}, nil)
				if _, problems := providerconfig.Load(path, version); (err != nil) != (len(problems) > 0) {
					t.Errorf("the kubelet has the error %v: %s; this project has %v for\n%s", err, log, problems, text)
				}
			})
		}
	}
}
