package provider

import (
	"context"
	"errors"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// agenda holds the plans to refresh.
type agenda struct {
	*Provider
	aws     *node
	planned map[cache.Key]bool
	tasks   []task
	// others are results without a plan: skipped ones and errors.
	others []Refreshed
}

// task is one plan to refresh.
type task struct {
	Refreshed
	request  cache.Request
	decision plan.Decision
	ahead    bool
}

// write fills the agenda: first with the plans that are known in advance, then with
// those of used tokens.
func (a *agenda) write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.Config.Deadline)
	defer cancel()
	used, err := a.Cache.List()
	if err != nil {
		return err
	}
	for _, e := range a.Config.Rules.Entries() {
		a.addEntry(ctx, e)
	}
	for _, token := range used {
		if token.Image != "" && token.InUse(a.AWS.Now()) && !a.planned[token.Key] {
			a.addUsed(ctx, token)
		}
	}
	return nil
}

// These are the reasons why a token is not refreshed.
const (
	needsPod    = "starts with a service account, whose token only a request has"
	needsNobody = "an anonymous pull works without a token"
	// The settings are part of a token's key, because they select the node's identity.
	otherSettings = "a request with other AWS settings got it; give refresh the environment of the kubelet's entry with --provider-config"
)

// addEntry adds the plans of an entry that are known in advance. An entry for all
// accounts or for some repositories has none, because only a request shows which plans
// the node needs.
func (a *agenda) addEntry(ctx context.Context, e rule.Entry) {
	switch {
	case e.ServiceAccount != nil:
		a.others = append(a.others, Refreshed{Registry: e.Name, Skipped: needsPod})
		return
	case e.Accounts.All || len(e.Repositories) > 0:
		return
	}
	accounts, err := a.accounts(ctx, e)
	if err == nil {
		err = a.addRegistries(ctx, e, accounts)
	}
	if err != nil {
		a.others = append(a.others, Refreshed{Registry: e.Name, Err: err})
	}
}

// accounts returns the entry's accounts, including the node's own if the entry
// names it.
func (a *agenda) accounts(ctx context.Context, e rule.Entry) ([]registry.Account, error) {
	accounts := slices.Clone(e.Accounts.Named)
	if !e.Accounts.Own {
		return accounts, nil
	}
	own, err := a.own(ctx, a.aws)
	return append(accounts, own), err
}

// addRegistries adds the entry's registries in the regions that the entry names. If the
// entry names a pattern or no region, addRegistries also tries the node's own region.
func (a *agenda) addRegistries(ctx context.Context, e rule.Entry, accounts []registry.Account) error {
	var regions []registry.Region
	guess := len(e.Regions) == 0
	for _, pattern := range e.Regions {
		region, err := registry.ParseRegion(pattern.String())
		if guess = guess || err != nil; err == nil {
			regions = append(regions, region)
		}
	}
	for _, region := range regions {
		for _, account := range accounts {
			if err := a.addRegistry(ctx, e, registry.Private(account, region)); err != nil {
				return err
			}
		}
	}
	if !guess {
		return nil
	}
	region, err := a.region(ctx)
	for _, account := range accounts {
		if err == nil && fits(e, region) {
			err = a.addRegistry(ctx, e, registry.Private(account, region))
		}
	}
	return err
}

// fits reports whether an entry is for a region. Without regions, it may be for those of
// another partition.
func fits(e rule.Entry, region registry.Region) bool {
	return e.Fits(region.Partition()) &&
		(len(e.Regions) == 0 || slices.ContainsFunc(e.Regions, func(p registry.RegionPattern) bool { return p.Match(region) }))
}

// region returns the node's own region.
func (a *agenda) region(ctx context.Context) (registry.Region, error) {
	c, err := a.aws.connect(ctx)
	if err != nil {
		return registry.Region{}, err
	}
	region, err := c.Node.Region(ctx)
	if err == nil && region.IsZero() {
		err = errors.New("the node's region is not known; set AWS_REGION in the provider's env, or name the entry's regions")
	}
	return region, err
}

// addRegistry adds a registry's plan if the entry governs the registry.
func (a *agenda) addRegistry(ctx context.Context, e rule.Entry, reg registry.Registry) error {
	image, ok := registry.Parse(reg.Host() + "/" + a.unnamedRepository())
	if !ok {
		return nil
	}
	d, err := a.decide(ctx, a.aws, image, kubelet.ServiceAccount{})
	switch {
	case d.Entry != nil && d.Entry.Name != e.Name: // the other entry reports its own errors
		return nil
	case err != nil || d.Entry == nil:
		return err
	}
	request, err := a.aws.request(d, reg.Host())
	if err == nil && !a.planned[request.Key] {
		a.add(task{request: request, decision: d, ahead: true})
	}
	return err
}

// unnamedRepository returns a repository name of one character that fits no entry's
// prefix. It is empty if every such name fits a prefix. Then addRegistry adds no
// plan.
func (a *agenda) unnamedRepository() string {
	for _, name := range strings.Split("abcdefghijklmnopqrstuvwxyz0123456789", "") {
		named := slices.ContainsFunc(a.Config.Rules.Entries(), func(e rule.Entry) bool { return slices.Contains(e.Repositories, name) })
		if !named {
			return name
		}
	}
	return ""
}

// addUsed adds the plan of a token that a request has used. It does so only if the
// configuration still yields the same plan.
func (a *agenda) addUsed(ctx context.Context, token cache.Info) {
	image, err := a.Config.Image(token.Image)
	if err != nil {
		return
	}
	host := image.Registry().Host()
	if image.Registry().Public() {
		a.others = append(a.others, Refreshed{Registry: host, Skipped: needsNobody})
		return
	}
	d, err := a.decide(ctx, a.aws, image, kubelet.ServiceAccount{})
	switch {
	case d.Entry == nil && err != nil:
		a.others = append(a.others, Refreshed{Registry: host, Err: err})
		return
	case d.Entry == nil:
		return
	}
	request, keyErr := a.aws.request(d, host)
	switch {
	case err == nil && keyErr != nil:
		a.others = append(a.others, Refreshed{Registry: host, Err: keyErr})
	case err == nil && request.Key == token.Key:
		request.Image = token.Image
		a.add(task{request: request, decision: d})
	case a.Config.File != "" || d.Entry.ServiceAccount == nil: // the plan is another now, or its entry is in the report already
	case token.Identity == request.Identity:
		a.others = append(a.others, Refreshed{Registry: host, Skipped: otherSettings})
	default:
		a.others = append(a.others, Refreshed{Registry: host, Skipped: needsPod})
	}
}

func (a *agenda) add(t task) {
	t.Registry = t.request.Registry
	a.planned[t.request.Key] = true
	a.tasks = append(a.tasks, t)
}
