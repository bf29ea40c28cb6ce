package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

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
	e.file(len(o.roles) > 0)
	e.cache(p.cacheDirectory(c))
	image, ok := registry.Parse(args[0])
	switch {
	case !ok:
		e.line("registry", "not Amazon ECR: %v", registry.WhyNotECR(args[0]))
		e.empty("Registry")
	default:
		if e.api, err = awsapi.Load(ctx, p.aws(c)); err != nil {
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

// title starts a table of its own.
func (e explanation) title(format string, args ...any) {
	_ = e.out.Flush()
	_, _ = fmt.Fprintf(e.out, "\n"+format+"\n", args...)
}

func (e explanation) file(roles bool) {
	path, err := filepath.Abs(e.config.File)
	switch {
	case e.config.File != "" && err == nil:
		e.line("config", "%s", path)
	case roles:
		e.line("config", "no file, but --role")
	default:
		e.line("config", "no file: as the stock plugin does")
	}
}

func (e explanation) cache(directory string) {
	if directory == "" {
		directory = "off"
	}
	e.line("cache", "%s", directory)
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
		e.answer("Registry", image.Server(), nil)
	case e.own.IsZero() && e.config.Rules.DependsOnOwn(image):
		account := image.Registry().Account()
		e.title("Which entry governs depends on the node's own account, which --own ACCOUNT tells. If it is %s:", account)
		e.decision(image, account)
		e.title("If it is another:")
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
	scope, key := "Registry", image.Server()
	if decision.PerRepository {
		scope, key = "Image", image.String()
	}
	entry := decision.Entry
	switch {
	case entry != nil:
		e.line("entry", "%s: %s", entry.Name, decision.Why)
	case e.config.UnmatchedNone:
		e.line("entry", "none: %s; left to others, as unmatched is None", decision.Why)
		e.empty(scope)
		return
	default:
		entry = &e.config.Unmatched
		e.line("entry", "none: %s (%s)", decision.Why, entry.Name)
	}
	as, ok := e.identity(image.Registry(), entry)
	if !ok {
		return
	}
	e.line("token", "from %s, in %s, as %s", e.host(e.api.ECRHost(e.ctx, image.Registry())), image.Registry().Region(), as)
	e.answer(scope, key, entry)
}

func (e explanation) empty(scope string) {
	e.line("answer", "no credentials, and no call to AWS; cacheKeyType %s, kept for 1h", scope)
}

// answer tells how the answer is kept, at most: the token's life is 12h.
func (e explanation) answer(scope, key string, entry *rule.Entry) {
	kept, why := 6*time.Hour, "half of the token's life"
	if entry != nil {
		if n := len(entry.Roles); n > 0 && entry.Roles[n-1].Duration() < kept {
			kept, why = entry.Roles[n-1].Duration(), "the session's life"
		} else if n == 0 && entry.ServiceAccount != nil {
			kept, why = rule.DefaultDuration, "the session's life"
		}
		if mayBeNode(entry) {
			why += "; as the node for 6h"
		}
	}
	e.line("answer", "for %s; cacheKeyType %s, kept for at most %s, %s", key, scope, rule.ShortDuration(kept), why)
}

// mayBeNode tells whether the node stands in for a service account.
func mayBeNode(entry *rule.Entry) bool {
	s := entry.ServiceAccount
	return s != nil && (s.NodeWhenNoToken || s.NodeWhenNoRole)
}

// identity tells the way to who asks for the token, and who that is; false if
// there is no way.
func (e explanation) identity(reg registry.Registry, entry *rule.Entry) (string, bool) {
	as := "the node"
	switch {
	case entry.ServiceAccount != nil:
		as = "the service account's role"
		e.serviceAccount(reg, *entry.ServiceAccount)
	case len(entry.Roles) == 0:
		e.line("identity", "the node's own")
	default:
		e.line("identity", "starts as the node")
	}
	for i, template := range entry.Roles {
		role, err := template.For(reg, entry.Repositories, rule.Facts{Node: func() string { return "node" }})
		if err != nil {
			e.line("error", "%v", err)
			return "", false
		}
		details := []string{"session " + template.SessionName().String(), "for " + rule.ShortDuration(role.Duration)}
		if role.ExternalID != "" {
			details = append(details, "with an external ID")
		}
		if len(role.Tags) > 0 {
			details = append(details, fmt.Sprintf("%d tags", len(role.Tags)))
		}
		if role.Policy != "" {
			details = append(details, "a session policy for pulls")
		}
		e.line("", "%d. assumes %s (%s) at %s", i+1, role.ARN, strings.Join(details, ", "), e.sts(reg))
		as = role.ARN
	}
	if mayBeNode(entry) {
		as += ", or the node"
	}
	if entry.NodeWhenRefused {
		e.line("", "where STS denies that: the node (whenRefused)")
	}
	return as, true
}

func (e explanation) serviceAccount(reg registry.Registry, source rule.ServiceAccount) {
	allowed := make([]string, len(source.AllowedRoles))
	for i, pattern := range source.AllowedRoles {
		allowed[i] = pattern.String()
	}
	among := "any role that trusts it"
	if !source.AnyRole {
		among = "one of " + strings.Join(allowed, ", ")
	}
	e.line("identity", "starts as the pod's service account, by the role in its annotation %s (%s) at %s", source.RoleAnnotation, among, e.sts(reg))
	if source.RoleARN != nil {
		e.line("", "without the annotation: %s", source.RoleARN.Template())
	} else {
		e.line("", "without the annotation: %s", nodeOr(source.NodeWhenNoRole))
	}
	e.line("", "without a token: %s", nodeOr(source.NodeWhenNoToken))
}

func nodeOr(node bool) string {
	if node {
		return "the node, without further roles"
	}
	return "an error"
}

// sts is where roles are assumed.
func (e explanation) sts(reg registry.Registry) string {
	region, err := registry.ParseRegion(e.api.Region())
	switch where := e.config.STSRegion; {
	case where.OfRegistry:
		region = reg.Region()
	case !where.Fixed.IsZero():
		region = where.Fixed
	case err != nil:
		return "STS of the node's region, which IMDS tells, else of the registry's"
	}
	return e.host(e.api.STSHost(e.ctx, region, reg.FIPS())) + ", in " + region.String()
}

func (e explanation) host(host string, err error) string {
	if err != nil {
		return "an endpoint that can't be found (" + err.Error() + ")"
	}
	return host
}
