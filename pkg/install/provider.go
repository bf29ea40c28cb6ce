package install

import (
	"errors"
	"fmt"
	"slices"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// These are the names under which a kubelet runs the plugin. A provider's name is the
// name of its binary.
const (
	pluginName = providerconfig.PluginName
	// olderName sorts before the stock provider's name. Kubelets up to 1.32 try
	// providers in the order of their names.
	olderName = "aws-" + pluginName
	// podsName is the name of the second provider, which gets the pods' tokens.
	podsName  = pluginName + "-pods"
	stockName = providerconfig.StockName
)

// ourNames are the names of all entries that this package may write.
var ourNames = []string{pluginName, olderName, podsName}

// audience is the audience of the pods' tokens. It is that of STS.
const audience = "sts.amazonaws.com"

// provider is an entry of a CredentialProviderConfig.
type provider struct {
	Name                 string                    `yaml:"name"`
	APIVersion           string                    `yaml:"apiVersion"`
	MatchImages          []string                  `yaml:"matchImages"`
	DefaultCacheDuration string                    `yaml:"defaultCacheDuration"`
	Args                 []string                  `yaml:"args"`
	Env                  []providerconfig.Variable `yaml:"env,omitempty"`
	TokenAttributes      *tokenAttributes          `yaml:"tokenAttributes,omitempty"`
}

// tokenAttributes let the kubelet pass on the tokens of pods. They also cover pods
// without a token, and service accounts without the annotation. Then the configuration
// decides, and its error says what is missing.
type tokenAttributes struct {
	Audience              string   `yaml:"serviceAccountTokenAudience"`
	CacheType             string   `yaml:"cacheType"`
	RequireServiceAccount bool     `yaml:"requireServiceAccount"`
	OptionalAnnotations   []string `yaml:"optionalServiceAccountAnnotationKeys"`
}

// providersFor derives the kubelet's entries from a configuration.
func providersFor(c config.Config, v providerconfig.Version, instead bool) ([]provider, error) {
	p := patternsOf(c, instead)
	if len(p.node)+len(p.pods) == 0 {
		return nil, errors.New("the configuration names no registry that the kubelet could ask for; add an entry to registries")
	}
	name := pluginName
	if !v.TakesDirectories() {
		name = olderName
	}
	if len(p.pods) > 0 && !v.PassesTokens() {
		return nil, fmt.Errorf("%s has entries with source: ServiceAccount, which need kubelet 1.34 or later, and this kubelet is %s", c.File, v)
	}
	var providers []provider
	if len(p.pods) > 0 {
		second := newProvider(name, p.pods)
		if len(p.node) > 0 {
			second.Name = podsName
		}
		second.TokenAttributes = &tokenAttributes{Audience: audience, CacheType: "ServiceAccount", OptionalAnnotations: annotationsOf(c)}
		providers = append(providers, second)
	}
	if len(p.node) > 0 {
		providers = append([]provider{newProvider(name, p.node)}, providers...)
	}
	return providers, nil
}

func newProvider(name string, matchImages []string) provider {
	return provider{
		Name: name, APIVersion: "credentialprovider.kubelet.k8s.io/v1", MatchImages: matchImages,
		DefaultCacheDuration: "0s", // required but unused: each response has its own
		Args:                 []string{"--config=" + ConfigPath, "get-credentials"},
	}
}

// annotationsOf returns the annotations that name roles.
func annotationsOf(c config.Config) (keys []string) {
	for _, e := range c.Rules.Entries() {
		if e.ServiceAccount != nil && !slices.Contains(keys, e.ServiceAccount.RoleAnnotation) {
			keys = append(keys, e.ServiceAccount.RoleAnnotation)
		}
	}
	return keys
}

// stockEntry returns the stock provider's entry, as Amazon Linux 2023 for EKS has it
// (nodeadm).
func stockEntry() provider {
	return provider{
		Name: stockName, APIVersion: "credentialprovider.kubelet.k8s.io/v1", DefaultCacheDuration: "12h",
		MatchImages: []string{
			"*.dkr.ecr.*.amazonaws.com", "*.dkr-ecr.*.on.aws",
			"*.dkr.ecr.*.amazonaws.com.cn", "*.dkr-ecr.*.on.amazonwebservices.com.cn",
			"*.dkr.ecr-fips.*.amazonaws.com", "*.dkr-ecr-fips.*.on.aws",
			"*.dkr.ecr.*.c2s.ic.gov", "*.dkr.ecr.*.sc2s.sgov.gov",
			"*.dkr.ecr.*.cloud.adc-e.uk", "*.dkr.ecr.*.csp.hci.ic.gov",
			"*.dkr.ecr.*.amazonaws.eu", "public.ecr.aws", "ecr-public.aws.com",
		},
	}
}
