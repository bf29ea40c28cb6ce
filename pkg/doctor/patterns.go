package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// checkPatterns checks whether the kubelet asks the plugin: for each image, or for the
// registries that the configuration names.
func (e *examination) checkPatterns(ctx context.Context, images []string) {
	needs := []*diagnosis.Check{e.kubelet.found, e.kubelet.read, e.kubelet.entered}
	if len(images) == 0 {
		e.do(ctx, &diagnosis.Check{Kind: matchImages, Needs: needs, Run: e.unlessUnread(e.patternsOfEntries)})
	}
	for _, name := range images {
		e.do(ctx, &diagnosis.Check{Kind: matchImages, Subject: name, Image: name, Needs: needs, Run: e.unlessUnread(func() diagnosis.Finding {
			return e.patternsFor(name)
		})})
	}
}

// unlessUnread returns a check's function. It skips the check if the plugin's
// configuration cannot be read.
func (e *examination) unlessUnread(run func() diagnosis.Finding) func(context.Context) diagnosis.Finding {
	return func(context.Context) diagnosis.Finding {
		if e.configErr != nil {
			return diagnosis.Skip("the plugin's configuration can't be read; see " + configurationFile.Code)
		}
		return run()
	}
}

// pluginsFor returns the plugin's entries that can serve what a rule governs. Only those
// with tokenAttributes can start a chain with a pod. If there are none, the check of
// tokenAttributes fails, and this one takes all entries. A missing pattern belongs to the
// first one.
func (k *kubelet) pluginsFor(governing *rule.Entry) []providerconfig.Provider {
	var node, pods []providerconfig.Provider
	for _, p := range k.plugins {
		if p.TokenAttributes == nil {
			node = append(node, p)
		} else {
			pods = append(pods, p)
		}
	}
	if startsWithPod(governing) && len(pods) > 0 {
		return pods
	}
	return append(node, pods...)
}

// anyMatches reports whether the kubelet asks one of the providers for an image.
func anyMatches(providers []providerconfig.Provider, image string) bool {
	return slices.ContainsFunc(providers, func(p providerconfig.Provider) bool { return p.Matches(image) })
}

// has reports whether one of the providers has this name.
func has(providers []providerconfig.Provider, name string) bool {
	return slices.ContainsFunc(providers, func(p providerconfig.Provider) bool { return p.Name == name })
}

// patternsFor checks the patterns for one image.
func (e *examination) patternsFor(name string) diagnosis.Finding {
	k := &e.kubelet
	image, err := e.config.Image(name)
	asked := name
	if err == nil {
		asked = image.String()
	}
	plugins := k.pluginsFor(e.governing(name))
	missing := plugins[0].Name // if none of them matches
	var names []string
	for _, p := range k.config.InOrder(asked, k.version) {
		names = append(names, p.Name)
	}
	at := slices.IndexFunc(names, func(name string) bool { return has(plugins, name) })
	switch {
	case err != nil && at < 0:
		return diagnosis.Fine("it is not in Amazon ECR, and the kubelet does not ask the plugin")
	case at < 0 && len(names) > 0:
		return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("no pattern of provider %s matches it; the kubelet asks %s only", missing, strings.Join(names, ", ")),
			patternHint(asked, missing))
	case at < 0:
		return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("no pattern of provider %s matches it, so the kubelet pulls without credentials", missing),
			patternHint(asked, missing))
	case err != nil:
		return diagnosis.Fine("it is not in Amazon ECR; the kubelet asks the plugin, which answers without credentials")
	case at > 0 && has(k.plugins, names[at-1]):
		return diagnosis.Warn(fmt.Sprintf("the kubelet also asks %s, before %s", strings.Join(names[:at], ", "), names[at]),
			names[at-1]+" gets no pod's token, and fails for this image; narrow its patterns")
	case at > 0:
		return diagnosis.Warn(fmt.Sprintf("the kubelet also asks %s, and tries those credentials before the plugin's", strings.Join(names[:at], ", ")),
			"this costs a refused request at each pull; narrow the other provider's patterns, or change the order: "+e.orderRule())
	case len(names) > 1:
		return diagnosis.Fine(fmt.Sprintf("the kubelet asks %s, then %s", names[0], strings.Join(names[1:], ", ")))
	}
	return diagnosis.Fine("the kubelet asks " + names[0])
}

func patternHint(image, provider string) string {
	host, _, _ := strings.Cut(image, "/")
	return "add " + host + " to matchImages of " + provider + ", and restart the kubelet"
}

func (e *examination) orderRule() string {
	if e.kubelet.version.ByName() {
		return "kubelets before 1.33 use the order of the providers' names"
	}
	return "the order in the file counts"
}

// patternsOfEntries checks the patterns for the registries of all accounts that the
// configuration names.
func (e *examination) patternsOfEntries() diagnosis.Finding {
	missed, forms := unasked{}, unasked{}
	for _, entry := range e.config.Rules.Entries() {
		plugins := e.kubelet.pluginsFor(&entry)
		name := plugins[0].Name
		for _, account := range entry.Accounts.Named {
			for i, host := range hostsOf(account, entry) {
				switch {
				case anyMatches(plugins, host+"/app"):
				case i == 0:
					missed[name] = append(missed[name], host)
				default:
					forms[name] = append(forms[name], host)
				}
			}
		}
	}
	switch {
	case len(missed) > 0:
		return diagnosis.Fail(diagnosis.Node, missed.String(),
			"add a pattern for each account to matchImages of its provider, such as ACCOUNT.dkr.ecr.*.amazonaws.com, and restart the kubelet")
	case len(forms) > 0:
		return diagnosis.Warn(forms.String(), "if images are named by these hosts, add patterns for them too")
	}
	return diagnosis.Fine("they match the registries of all accounts that the configuration names")
}

// unasked holds the hosts for which the kubelet does not ask the plugin, by the name of the
// provider that lacks the pattern.
type unasked map[string][]string

func (u unasked) String() string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(u)) {
		texts = append(texts, fmt.Sprintf("no pattern of provider %s matches %s", name, strings.Join(u[name], ", ")))
	}
	return strings.Join(texts, "; ")
}

// samples has one region of each partition, for entries that name no single region.
var samples = []string{"us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1"}

// hostsOf returns the hosts of an account's registry: first the standard one, then
// its other forms.
func hostsOf(account registry.Account, entry rule.Entry) []string {
	region := regionOf(entry)
	standard := registry.Private(account, region).Host()
	hosts := []string{standard}
	fips := strings.Replace(standard, ".dkr.ecr.", ".dkr.ecr-fips.", 1)
	if _, ok := registry.Parse(fips + "/app"); ok {
		hosts = append(hosts, fips)
	}
	for _, suffix := range []string{"on.aws", "on.amazonwebservices.com.cn"} {
		for _, label := range []string{"dkr-ecr", "dkr-ecr-fips"} {
			host := account.String() + "." + label + "." + region.String() + "." + suffix
			if _, ok := registry.Parse(host + "/app"); ok {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// regionOf returns the first region that an entry names, else the first sample that its
// patterns or its partition allow. If no sample fits, it returns the first one.
func regionOf(entry rule.Entry) registry.Region {
	for _, pattern := range entry.Regions {
		if region, err := registry.ParseRegion(pattern.String()); err == nil {
			return region
		}
	}
	partition := registry.AWS
	for _, role := range entry.Roles {
		if p, ok := role.Partition(); ok {
			partition = p
		}
	}
	for _, name := range samples {
		region, err := registry.ParseRegion(name)
		fits := len(entry.Regions) == 0 && region.Partition() == partition ||
			slices.ContainsFunc(entry.Regions, func(p registry.RegionPattern) bool { return p.Match(region) })
		if err == nil && fits {
			return region
		}
	}
	region, _ := registry.ParseRegion(samples[0]) // always valid
	return region
}
