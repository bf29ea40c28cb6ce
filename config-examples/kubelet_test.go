package examples_test

import (
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

const (
	beside      = "kubelet/beside-the-stock-provider.yaml"
	besideOlder = "kubelet/beside-the-stock-provider-before-1.34.yaml"
	instead     = "kubelet/instead-of-the-stock-provider.yaml"
	podKubelet  = "kubelet/service-account.yaml"

	mirrorKubelet = "kubelet/mirrors.yaml"
)

// providerConfig is the CredentialProviderConfig of kubelet.config.k8s.io/v1.
type providerConfig struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Providers  []kubeletProvider `yaml:"providers"`
}

type kubeletProvider struct {
	Name                 string   `yaml:"name"`
	MatchImages          []string `yaml:"matchImages"`
	DefaultCacheDuration string   `yaml:"defaultCacheDuration"`
	APIVersion           string   `yaml:"apiVersion"`
	Args                 []string `yaml:"args"`
	// TokenAttributes is known from 1.33 on. Its cacheType is known from 1.34 on.
	TokenAttributes *tokenAttributes `yaml:"tokenAttributes"`
}

type tokenAttributes struct {
	Audience              string   `yaml:"serviceAccountTokenAudience"`
	CacheType             string   `yaml:"cacheType"`
	RequireServiceAccount *bool    `yaml:"requireServiceAccount"`
	RequiredAnnotations   []string `yaml:"requiredServiceAccountAnnotationKeys"`
	OptionalAnnotations   []string `yaml:"optionalServiceAccountAnnotationKeys"`
}

// providers decodes a file. It fails the test for errors that make a kubelet
// exit.
func providers(t *testing.T, content string) []kubeletProvider {
	t.Helper()
	var c providerConfig
	decode(t, content, &c)
	if c.APIVersion != "kubelet.config.k8s.io/v1" || c.Kind != "CredentialProviderConfig" || len(c.Providers) == 0 {
		t.Fatalf("got %s %s with %d providers; want a CredentialProviderConfig with some", c.APIVersion, c.Kind, len(c.Providers))
	}
	for _, p := range c.Providers {
		if d, err := time.ParseDuration(p.DefaultCacheDuration); err != nil || d < 0 {
			t.Errorf("%s: got defaultCacheDuration %q, error %v; want a duration", p.Name, p.DefaultCacheDuration, err)
		}
		if p.Name == "" || len(p.MatchImages) == 0 || p.APIVersion != "credentialprovider.kubelet.k8s.io/v1" {
			t.Errorf("got %+v; want a provider that a kubelet accepts", p)
		}
	}
	return c.Providers
}

func TestKubeletConfigurations(t *testing.T) {
	t.Parallel()
	ourArgs := []string{"--config=/etc/" + program + "/config.yaml", "get-credentials"}
	others := func(p kubeletProvider) kubeletProvider {
		return kubeletProvider{p.Name, hostForms("444455556666", "*"), "0s", p.APIVersion, ourArgs, nil}
	}
	pods := func(p kubeletProvider) kubeletProvider {
		hosts := slices.Concat(hostForms("444455556666", "*"), hostForms("777788889999", "*"))
		return kubeletProvider{p.Name, hosts, "0s", p.APIVersion, ourArgs, &tokenAttributes{
			"sts.amazonaws.com", "ServiceAccount", new(bool), nil, []string{rule.DefaultRoleAnnotation},
		}}
	}
	mirrored := func(p kubeletProvider) kubeletProvider {
		return kubeletProvider{p.Name, append([]string{"docker.io"}, hostForms("444455556666", "*")...), "0s", p.APIVersion, ourArgs, nil}
	}
	stock := func(p kubeletProvider) kubeletProvider {
		p.Name, p.MatchImages = "ecr-credential-provider", stockPatterns
		return p
	}
	for file, want := range map[string]struct {
		names    []string
		complete []func(kubeletProvider) kubeletProvider
	}{
		beside:      {[]string{program}, []func(kubeletProvider) kubeletProvider{others}},
		besideOlder: {[]string{"aws-" + program, "ecr-credential-provider"}, []func(kubeletProvider) kubeletProvider{others, stock}},
		instead:     {[]string{"ecr-credential-provider"}, []func(kubeletProvider) kubeletProvider{stock}},
		podKubelet:  {[]string{program}, []func(kubeletProvider) kubeletProvider{pods}},

		mirrorKubelet: {[]string{program}, []func(kubeletProvider) kubeletProvider{mirrored}},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			found := providers(t, read(t, file))
			var names []string
			for i, p := range found {
				names = append(names, p.Name)
				if i < len(want.complete) && !reflect.DeepEqual(p, want.complete[i](p)) {
					t.Errorf("got provider %+v; want %+v", p, want.complete[i](p))
				}
			}
			if !slices.Equal(names, want.names) || !slices.IsSorted(names) {
				t.Errorf("got providers %q; want %q, in the order of their names", names, want.names)
			}
			if ours := found[0]; !slices.Equal(ours.Args, ourArgs) || ours.DefaultCacheDuration != "0s" {
				t.Errorf("got args %q, defaultCacheDuration %q; want %q, 0s", ours.Args, ours.DefaultCacheDuration, ourArgs)
			}
		})
	}
}

// hostForms are the hosts of an account's registries in partition aws.
func hostForms(account, region string) []string {
	return []string{
		account + ".dkr.ecr." + region + ".amazonaws.com",
		account + ".dkr.ecr-fips." + region + ".amazonaws.com",
		account + ".dkr-ecr." + region + ".on.aws",
		account + ".dkr-ecr-fips." + region + ".on.aws",
	}
}

// stockPatterns are the patterns of the stock provider on Amazon EKS (nodeadm,
// image-credential-provider.go).
var stockPatterns = []string{
	"*.dkr.ecr.*.amazonaws.com", "*.dkr-ecr.*.on.aws", "*.dkr.ecr.*.amazonaws.com.cn", "*.dkr-ecr.*.on.amazonwebservices.com.cn",
	"*.dkr.ecr-fips.*.amazonaws.com", "*.dkr-ecr-fips.*.on.aws", "*.dkr.ecr.*.c2s.ic.gov", "*.dkr.ecr.*.sc2s.sgov.gov",
	"*.dkr.ecr.*.cloud.adc-e.uk", "*.dkr.ecr.*.csp.hci.ic.gov", "*.dkr.ecr.*.amazonaws.eu", "public.ecr.aws", "ecr-public.aws.com",
}

func TestMatchImages(t *testing.T) {
	t.Parallel()
	other := slices.Concat(hostForms("444455556666", "eu-west-1"), hostForms("444455556666", "us-gov-west-1"))
	third := hostForms("777788889999", "eu-west-1")
	foreign := slices.Concat(hostForms(nodeAccount, "eu-west-1"), hostForms("602401143452", "us-west-2"), []string{
		"444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn", "444455556666.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
		"444455556666.dkr.ecr.us-iso-east-1.c2s.ic.gov", "444455556666.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
		"444455556666.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "444455556666.dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
		"444455556666.dkr.ecr.eusc-de-east-1.amazonaws.eu", "public.ecr.aws", "ecr-public.aws.com",
	})
	notECR := []string{"docker.io", "registry.k8s.io", "444455556666.dkr.ecr.eu-west-1.amazonaws.com.example.com", "x.444455556666.dkr.ecr.eu-west-1.amazonaws.com"}
	for _, host := range slices.Concat(other, third, foreign) {
		if _, ok := registry.Parse(host + "/team-a/app"); !ok {
			t.Errorf("%s: got no registry; want one", host)
		}
	}
	for file, want := range map[string]struct{ yes, no []string }{
		beside:      {other, slices.Concat(third, foreign, notECR)},
		besideOlder: {other, slices.Concat(third, foreign, notECR)},
		instead:     {slices.Concat(other, third, foreign), notECR},
		podKubelet:  {slices.Concat(other, third), slices.Concat(foreign, notECR)},

		mirrorKubelet: {append([]string{"docker.io"}, other...), slices.Concat(third, foreign, notECR[1:])},
	} {
		ours := providers(t, read(t, file))[0]
		for _, host := range want.yes {
			if !matchesAny(ours.MatchImages, host) {
				t.Errorf("%s: got no match for %s; want one", file, host)
			}
		}
		for _, host := range want.no {
			if matchesAny(ours.MatchImages, host) {
				t.Errorf("%s: got a match for %s; want none", file, host)
			}
		}
	}
}

// matchesAny compares patterns with a host as a kubelet does (URLsMatchStr). It
// compares label by label, and "*" matches within one label only.
func matchesAny(patterns []string, host string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		want, have := strings.Split(pattern, "."), strings.Split(host, ".")
		for i := range min(len(want), len(have)) {
			if ok, err := path.Match(want[i], have[i]); !ok || err != nil {
				return false
			}
		}
		return len(want) == len(have)
	})
}
