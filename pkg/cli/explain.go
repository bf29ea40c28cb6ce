package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// explain says what would be done for an image. It asks nothing of the network,
// so that it works at a desk as on a node.
func explain(ctx context.Context, p Process, o options, args []string) error {
	if len(args) != 1 {
		return usageError("explain takes one image; run: %s explain IMAGE", Name)
	}
	c, err := o.load(p)
	if err != nil {
		return err
	}
	e := explanation{ctx: ctx, out: tabwriter.NewWriter(p.Stdout, 0, 8, 2, ' ', 0), config: c, own: o.own}
	e.file()
	image, ok := registry.Parse(args[0])
	switch {
	case !ok:
		e.line("registry", "not Amazon ECR: %v", registry.WhyNotECR(args[0]))
		e.line("answer", "no credentials, and no call to AWS; cacheKeyType Registry, for 1h")
	default:
		if e.api, err = awsapi.Load(ctx, p.aws()); err != nil {
			return err
		}
		e.ecr(image)
	}
	return e.out.Flush()
}

// explanation is a table of what and how.
type explanation struct {
	ctx    context.Context //nolint:containedctx // of the one call that fills the table
	out    *tabwriter.Writer
	config config.Config
	api    *awsapi.API
	own    registry.Account
}

func (e explanation) line(what, format string, args ...any) {
	_, _ = fmt.Fprintf(e.out, "%s\t%s\n", what, fmt.Sprintf(format, args...))
}

func (e explanation) file() {
	if e.config.File == "" {
		e.line("config", "no file: every ECR registry is served with the node's own identity, but for --role")
		return
	}
	e.line("config", "%s", e.config.File)
}

func (e explanation) ecr(image registry.Image) {
	e.registry(image)
	switch {
	case image.Registry().Public() && e.config.UnmatchedNone:
		e.line("entry", "none; left to others, as unmatched is None")
		e.empty("Registry")
	case image.Registry().Public():
		e.line("identity", "the node's own")
		e.line("token", "from %s, in %s; without one an anonymous pull works", e.host(e.api.PublicHost(e.ctx)), awsapi.PublicRegion)
		e.line("answer", "cacheKeyType Registry, for %s", image.Server())
	case e.own.IsZero() && e.config.Rules.DependsOnOwn(image):
		account := image.Registry().Account()
		e.line("own", "what governs depends on the node's own account; -own ACCOUNT says which it is")
		e.line("", "if it is %s:", account)
		e.decision(image, account)
		e.line("", "if it is another:")
		e.decision(image, registry.Account{})
	default:
		e.decision(image, e.own)
	}
}

func (e explanation) registry(image registry.Image) {
	reg := image.Registry()
	if reg.Public() {
		e.line("registry", "%s, ECR Public", reg)
	} else {
		e.line("registry", "%s: account %s, region %s, partition %s%s", reg, reg.Account(), reg.Region(), reg.Partition(), forms(reg))
	}
	e.line("repository", "%s", image.Repository())
}

func forms(reg registry.Registry) string {
	var s string
	if reg.FIPS() {
		s += ", FIPS"
	}
	if reg.DualStack() {
		s += ", dual-stack"
	}
	return s
}

func (e explanation) decision(image registry.Image, own registry.Account) {
	decision := e.config.Rules.Match(image, own)
	scope := "Registry"
	if decision.PerRepository {
		scope = "Image"
	}
	switch {
	case decision.Entry != nil:
		e.line("entry", "%s: %s", decision.Entry.Name, decision.Why)
	case e.config.UnmatchedNone:
		e.line("entry", "none: %s; left to others, as unmatched is None", decision.Why)
		e.empty(scope)
		return
	default:
		e.line("entry", "none: %s; the node's own identity serves, as unmatched is Node", decision.Why)
	}
	e.line("identity", "the node's own")
	if !e.roles(image.Registry(), decision.Entry) {
		return
	}
	e.line("token", "from %s, in %s", e.host(e.api.ECRHost(e.ctx, image.Registry())), image.Registry().Region())
	key := image.Server()
	if decision.PerRepository {
		key = image.String()
	}
	e.line("answer", "cacheKeyType %s, for %s", scope, key)
}

func (e explanation) empty(scope string) {
	e.line("answer", "no credentials, and no call to AWS; cacheKeyType %s, for 1h", scope)
}

// roles lists the roles, and tells whether they can be assumed at all.
func (e explanation) roles(reg registry.Registry, entry *rule.Entry) bool {
	if entry == nil {
		return true
	}
	for _, template := range entry.Roles {
		role, err := template.For(reg, func() string { return "node" })
		if err != nil {
			e.line("error", "%v", err)
			return false
		}
		details := []string{"session " + template.SessionName().String(), "for " + role.Duration.String()}
		if role.ExternalID != "" {
			details = append(details, "with an external ID")
		}
		e.line("", "assumes %s (%s) at %s", role.ARN, strings.Join(details, ", "), e.sts(reg))
	}
	if entry.NodeWhenRefused {
		e.line("", "where STS denies that, the node's own (whenRefused)")
	}
	return true
}

func (e explanation) sts(reg registry.Registry) string {
	region := e.api.Region()
	switch where := e.config.STSRegion; {
	case where.OfRegistry:
		region = reg.Region().String()
	case !where.Fixed.IsZero():
		region = where.Fixed.String()
	case region == "":
		return "STS of the node's region, which IMDS tells"
	}
	return e.host(e.api.STSHost(e.ctx, region)) + ", in " + region
}

func (e explanation) host(host string, err error) string {
	if err != nil {
		return "an endpoint that can't be found (" + err.Error() + ")"
	}
	return host
}
