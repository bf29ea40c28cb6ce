package install

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

const head = "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"

// load loads a configuration from its text without apiVersion and kind.
func load(t *testing.T, text string) config.Config {
	t.Helper()
	c, err := config.Source{Path: "config.yaml", Reader: strings.NewReader(head + text)}.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func version(t *testing.T, text string) providerconfig.Version {
	t.Helper()
	v, err := providerconfig.ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const (
	oneRole = "registries:\n- accounts: [\"444455556666\"]\n  assumeRoles:\n  - arn: arn:aws:iam::444455556666:role/ecr-pull\n"
	ofPods  = "- accounts: [\"777788889999\"]\n  regions: [eu-west-1]\n  source: ServiceAccount\n  serviceAccount:\n    allowedRoles: [\"arn:aws:iam::777788889999:role/pull-*\"]\n"
	allElse = "- accounts: [\"*\"]\n"
	mirror  = "mirrors:\n- host: docker.io\n  registry: 444455556666.dkr.ecr.eu-west-1.amazonaws.com/docker-hub\n"
)

// inAWS returns the patterns of an account in partition aws.
func inAWS(account string) []string {
	return []string{account + ".dkr.ecr.*.amazonaws.com", account + ".dkr.ecr-fips.*.amazonaws.com", account + ".dkr-ecr.*.on.aws", account + ".dkr-ecr-fips.*.on.aws"}
}

func inChina(account string) []string {
	return []string{account + ".dkr.ecr.*.amazonaws.com.cn", account + ".dkr-ecr.*.on.amazonwebservices.com.cn"}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	everywhere := func(account string) (all []string) {
		all = append(inAWS(account), inChina(account)...)
		for _, suffix := range []string{"amazonaws.eu", "c2s.ic.gov", "sc2s.sgov.gov", "cloud.adc-e.uk", "csp.hci.ic.gov"} {
			all = append(all, account+".dkr.ecr.*."+suffix, account+".dkr.ecr-fips.*."+suffix)
		}
		return all
	}
	for name, test := range map[string]struct {
		config     string
		instead    bool
		node, pods []string
	}{
		"a role of partition aws":    {oneRole, false, inAWS("444455556666"), nil},
		"a region of China":          {"registries:\n- accounts: [\"444455556666\"]\n  regions: [cn-north-1]\n", false, inChina("444455556666"), nil},
		"nothing says the partition": {"registries:\n- accounts: [\"444455556666\"]\n", false, everywhere("444455556666"), nil},
		"a role of any partition":    {"registries:\n- accounts: [\"444455556666\"]\n  assumeRoles:\n  - arn: arn:{partition}:iam::{account}:role/p\n", false, everywhere("444455556666"), nil},
		"own is any account":         {"registries:\n- accounts: [own]\n  regions: [eu-west-1]\n", false, inAWS("*"), nil},
		"all cover the named":        {oneRole + "- accounts: [\"*\"]\n  regions: [us-east-1]\n", false, inAWS("*"), nil},
		"a mirror":                   {oneRole + mirror, false, append(inAWS("444455556666"), "docker.io"), nil},
		"pods apart":                 {oneRole + ofPods, false, inAWS("444455556666"), inAWS("777788889999")},
		"pods alone":                 {"registries:\n" + ofPods, false, nil, inAWS("777788889999")},
		"pods, and all accounts":     {oneRole + ofPods + allElse, false, nil, everywhere("*")},
		"a mirror of the pods'": {
			"registries:\n" + ofPods + strings.ReplaceAll(mirror, "444455556666", "777788889999"), false, nil, append(inAWS("777788889999"), "docker.io"),
		},
		"one account, both sources": {
			strings.ReplaceAll(oneRole+"  repositories: [team-a/]\n"+ofPods, "444455556666", "777788889999"), false, nil, inAWS("777788889999"),
		},
		"roles of a partition":         {strings.ReplaceAll("registries:\n"+ofPods, "  regions: [eu-west-1]\n", ""), false, nil, inAWS("777788889999")},
		"instead of the stock one":     {oneRole, true, append(everywhere("*"), "public.ecr.aws", "ecr-public.aws.com"), nil},
		"instead of it, and with pods": {"registries:\n" + ofPods, true, nil, append(everywhere("*"), "public.ecr.aws", "ecr-public.aws.com")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := patternsOf(load(t, test.config), test.instead)
			if diff := cmp.Diff([][]string{test.node, test.pods}, [][]string{got.node, got.pods}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMatched: the kubelet asks a provider for each image that an entry of the
// configuration covers, for every form of host.
func TestMatched(t *testing.T) {
	t.Parallel()
	c := load(t, oneRole+ofPods+mirror)
	entries, err := providersFor(c, version(t, "v1.34.0"), false)
	if err != nil || len(entries) != 2 {
		t.Fatalf("got %d entries, error %v, want 2", len(entries), err)
	}
	for image, want := range map[string]string{
		"444455556666.dkr.ecr.us-east-1.amazonaws.com/app":      pluginName,
		"444455556666.dkr.ecr.us-gov-west-1.amazonaws.com/app":  pluginName,
		"444455556666.dkr-ecr-fips.us-east-1.on.aws/app":        pluginName,
		"docker.io/library/nginx":                               pluginName,
		"777788889999.dkr.ecr-fips.us-east-1.amazonaws.com/app": podsName,
		"111122223333.dkr.ecr.us-east-1.amazonaws.com/app":      "",
		"quay.io/app": "",
	} {
		var names string
		for _, e := range entries {
			if (providerconfig.Provider{MatchImages: e.MatchImages}).Matches(image) {
				names += e.Name
			}
		}
		if names != want {
			t.Errorf("%s: got the providers %q, want %q", image, names, want)
		}
	}
}

func TestProviders(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config, kubelet string
		want            string // the names, or the error
	}{
		"one":                 {oneRole, "v1.34.1", pluginName},
		"an older kubelet":    {oneRole, "v1.33.1", olderName},
		"pods":                {"registries:\n" + ofPods, "v1.34.1", pluginName},
		"both":                {oneRole + ofPods, "v1.36.1", pluginName + " " + podsName},
		"pods, older kubelet": {oneRole + ofPods, "v1.33.1", "config.yaml has entries with source: ServiceAccount, which need kubelet 1.34 or later, and this kubelet is 1.33"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := load(t, test.config)
			entries, err := providersFor(c, version(t, test.kubelet), false)
			var names []string
			for _, e := range entries {
				names = append(names, e.Name)
			}
			got := strings.Join(names, " ")
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestNoEntry: install refuses a configuration without entries.
func TestNoEntry(t *testing.T) {
	t.Parallel()
	const want = "the configuration names no registry that the kubelet could ask for; add an entry to registries"
	if _, err := providersFor(config.Default(), version(t, "v1.34.0"), false); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
