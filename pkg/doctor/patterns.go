package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
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

// patternsFor checks the patterns for one image.
func (e *examination) patternsFor(name string) diagnosis.Finding {
	k := &e.kubelet
	image, err := e.config.Image(name)
	asked := name
	if err == nil {
		asked = image.String()
	}
	order := k.config.InOrder(asked, k.version)
	var names []string
	for _, p := range order {
		names = append(names, p.Name)
	}
	at := slices.Index(names, k.entry.Name)
	switch {
	case err != nil && at < 0:
		return diagnosis.Fine("it is not in Amazon ECR, and the kubelet does not ask the plugin")
	case at < 0 && len(names) > 0:
		return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("no pattern of provider %s matches it; the kubelet asks %s only", k.entry.Name, strings.Join(names, ", ")), e.patternHint(asked))
	case at < 0:
		return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("no pattern of provider %s matches it, so the kubelet pulls without credentials", k.entry.Name), e.patternHint(asked))
	case err != nil:
		return diagnosis.Fine("it is not in Amazon ECR; the kubelet asks the plugin, which answers without credentials")
	case at > 0:
		return diagnosis.Warn(fmt.Sprintf("the kubelet also asks %s, and tries those credentials before the plugin's", strings.Join(names[:at], ", ")),
			"this costs a refused request at each pull; narrow the other provider's patterns, or change the order: "+e.orderRule())
	case len(names) > 1:
		return diagnosis.Fine(fmt.Sprintf("the kubelet asks %s, then %s", k.entry.Name, strings.Join(names[1:], ", ")))
	}
	return diagnosis.Fine("the kubelet asks " + k.entry.Name)
}

func (e *examination) patternHint(image string) string {
	host, _, _ := strings.Cut(image, "/")
	return "add " + host + " to matchImages of " + e.kubelet.entry.Name + ", and restart the kubelet"
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
	var missed, forms []string
	for _, entry := range e.config.Rules.Entries() {
		for _, account := range entry.Accounts.Named {
			for i, host := range hostsOf(account, entry) {
				if e.kubelet.entry.Matches(host + "/app") {
					continue
				}
				if i == 0 {
					missed = append(missed, host)
				} else {
					forms = append(forms, host)
				}
			}
		}
	}
	switch {
	case len(missed) > 0:
		return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("no pattern of provider %s matches %s", e.kubelet.entry.Name, strings.Join(missed, ", ")),
			"add a pattern for each account to matchImages of "+e.kubelet.entry.Name+", such as ACCOUNT.dkr.ecr.*.amazonaws.com, and restart the kubelet")
	case len(forms) > 0:
		return diagnosis.Warn(fmt.Sprintf("no pattern of provider %s matches %s", e.kubelet.entry.Name, strings.Join(forms, ", ")),
			"if images are named by these hosts, add patterns for them too")
	}
	return diagnosis.Fine("they match the registries of all accounts that the configuration names")
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
