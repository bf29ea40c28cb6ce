package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/ecr"
	"ecr-cross-account-credential-provider/pkg/identity"
	kubeletapi "ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// subject is a pull to examine: of an image, or from a registry that an entry
// governs.
type subject struct {
	// name is the image as it was given. It is empty for an entry.
	name string
	// image and reference are what is pulled. The image is zero for an entry.
	image     registry.Image
	reference string
	registry  registry.Registry
	entry     *rule.Entry
	plan      plan.Plan
	planned   *diagnosis.Check

	// session is the session that requests the token.
	session identity.Session
	token   ecr.Token
}

// planned computes the plans.
func (e *examination) planned(ctx context.Context, images []string) {
	if len(images) == 0 && e.configuration.Result != diagnosis.Failed {
		e.planEntries(ctx)
	}
	for _, name := range images {
		e.planImage(ctx, name)
	}
}

// planImage computes the plan for an image.
func (e *examination) planImage(ctx context.Context, name string) {
	s := &subject{name: name}
	s.planned = e.do(ctx, &diagnosis.Check{Kind: imagePlan, Subject: name, Image: name, Needs: []*diagnosis.Check{e.configuration}, Run: func(ctx context.Context) diagnosis.Finding {
		var err error
		if s.image, err = e.config.Image(name); err != nil {
			return diagnosis.Warn(fmt.Sprintf("it is not in Amazon ECR: %v", err), "this plugin gives no credentials for it")
		}
		s.registry, s.reference = s.image.Registry(), referenceOf(name)
		own, err := e.own(ctx, s.image)
		if err != nil {
			return e.ownUnknown(ctx)
		}
		return e.decide(s, own)
	}})
	if s.entry != nil {
		e.subjects = append(e.subjects, s)
	}
}

// own returns the account of the node's identity, if it matters.
func (e *examination) own(ctx context.Context, image registry.Image) (registry.Account, error) {
	if image.Registry().Public() || !e.config.Rules.DependsOnOwn(image) {
		return registry.Account{}, nil
	}
	return e.ownAccount(ctx)
}

// decide computes the subject's decision.
func (e *examination) decide(s *subject, own registry.Account) diagnosis.Finding {
	var pod *kubeletapi.ServiceAccount
	if e.Pod != nil {
		pod = &e.Pod.ServiceAccount
	} else if !startsWithPod(e.config.Rules.Match(s.image, own).Entry) {
		pod = &kubeletapi.ServiceAccount{}
	}
	d, err := plan.Decide(e.config, s.image, own, pod)
	switch {
	case err != nil:
		return diagnosis.Fail(diagnosis.Node, err.Error(), "correct the entry, the pod's service account or the image's name")
	case d.Entry == nil:
		return diagnosis.Warn(fmt.Sprintf("%s; it is left to other providers, because unmatched is None", d.Why), "if this plugin should serve it, name its account in registries")
	case pod == nil:
		return diagnosis.Warn(fmt.Sprintf("%s: %s; the chain starts with a pod's service account", d.Entry.Name, d.Why),
			"to examine the pull of a pod, run doctor with --as-service-account NAMESPACE/NAME --token-file FILE")
	}
	s.entry, s.plan = d.Entry, d.Plan
	if d.Warning != "" {
		return diagnosis.Warn(d.Warning, "")
	}
	return diagnosis.Fine(fmt.Sprintf("%s: %s; %s", d.Entry.Name, d.Why, describePlan(d.Plan)))
}

// startsWithPod reports whether only a pod's token can start the entry's chain.
func startsWithPod(entry *rule.Entry) bool {
	return entry != nil && entry.ServiceAccount != nil && !entry.ServiceAccount.NodeWhenNoToken
}

// describePlan says who requests the token.
func describePlan(p plan.Plan) string {
	var roles []string
	if p.ServiceAccount != nil {
		roles = append(roles, p.ServiceAccount.Role.ARN)
	}
	for _, role := range p.Roles {
		roles = append(roles, role.ARN)
	}
	if len(roles) == 0 {
		return "the token is the node's own"
	}
	slices.Reverse(roles)
	return "the token is that of " + strings.Join(roles, ", assumed by ")
}

// planEntries computes the plan of each entry, for the first of its registries.
func (e *examination) planEntries(ctx context.Context) {
	for _, entry := range e.config.Rules.Entries() {
		s := &subject{}
		s.planned = e.do(ctx, &diagnosis.Check{Kind: imagePlan, Subject: entry.Name, Run: func(ctx context.Context) diagnosis.Finding {
			reg, err := e.firstRegistry(ctx, entry)
			switch {
			case err != nil && errors.Is(err, e.aws.ownErr):
				return e.ownUnknown(ctx)
			case err != nil:
				return diagnosis.Skip(err.Error())
			case startsWithPod(&entry):
				return diagnosis.Skip("the chain starts with a pod's service account; name an image and use --as-service-account")
			}
			if s.plan, err = plan.OfEntry(e.config, &entry, reg); err != nil {
				return diagnosis.Fail(diagnosis.Node, err.Error(), "correct the entry")
			}
			s.registry, s.entry = reg, &entry
			return diagnosis.Fine(fmt.Sprintf("for %s; %s", reg, describePlan(s.plan)))
		}})
		if s.entry != nil {
			e.subjects = append(e.subjects, s)
		}
	}
}

// firstRegistry returns the first registry that an entry is for.
func (e *examination) firstRegistry(ctx context.Context, entry rule.Entry) (registry.Registry, error) {
	region, err := e.firstRegion(ctx, entry)
	if err != nil {
		return registry.Registry{}, err
	}
	if len(entry.Accounts.Named) > 0 {
		return registry.Private(entry.Accounts.Named[0], region), nil
	}
	if !entry.Accounts.Own {
		return registry.Registry{}, errors.New(`"*" names no account to try; name an image`)
	}
	own, err := e.ownAccount(ctx)
	if err != nil {
		return registry.Registry{}, err
	}
	return registry.Private(own, region), nil
}

// firstRegion returns the node's region if the entry is for it, else the first one that
// the entry names.
func (e *examination) firstRegion(ctx context.Context, entry rule.Entry) (registry.Region, error) {
	if err := e.aws.load(ctx, e); err != nil {
		return registry.Region{}, fmt.Errorf("the node's region is not known; see %s", awsSettings.Code)
	}
	node, _ := e.aws.node.Region(ctx) // the check of STS reports the error if the plan needs the region
	if !entry.Fits(node.Partition()) {
		node = registry.Region{}
	}
	var first registry.Region
	for _, pattern := range entry.Regions {
		if pattern.Match(node) {
			return node, nil
		}
		if region, err := registry.ParseRegion(pattern.String()); err == nil && first.IsZero() {
			first = region
		}
	}
	if len(entry.Regions) == 0 {
		first = node
	}
	if first.IsZero() {
		return first, errors.New("it names no region, and the node's region is not known or does not fit its patterns and roles; name an image")
	}
	return first, nil
}

// referenceOf returns the tag or digest of an image's name, or latest if it has
// none.
func referenceOf(name string) string {
	if _, digest, ok := strings.Cut(name, "@"); ok {
		return digest
	}
	last := name[strings.LastIndexByte(name, '/')+1:]
	if _, tag, ok := strings.Cut(last, ":"); ok {
		return tag
	}
	return "latest"
}
