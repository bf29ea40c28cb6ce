package cli

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// explain says what would be done for an image. It needs no network, so it works
// at a desk as it does on a node.
func explain(conf *command.Configuration) func(*flag.FlagSet) command.Run {
	return func(flags *flag.FlagSet) command.Run {
		var own registry.Account
		json := command.OutputFlag(flags)
		flags.Func("own", "the node's own `ACCOUNT`", func(s string) (err error) {
			own, err = registry.ParseAccount(s)
			return err
		})
		return func(ctx context.Context, p Process, args []string) error {
			if len(args) != 1 {
				return command.UsageError("explain takes one image; run: %s explain IMAGE", Name)
			}
			c, err := conf.Load(p)
			switch {
			case err != nil:
				return err
			case *json:
				return explainJSON(ctx, p, own, c, args[0])
			}
			return explainText(ctx, p, own, c, args[0], len(conf.Roles) > 0)
		}
	}
}

// explainText prints a table. roles reports whether the command line has --role.
func explainText(ctx context.Context, p Process, own registry.Account, c config.Config, name string, roles bool) error {
	var err error
	e := &explanation{config: c}
	e.add("config", "%s", configName(c, roles))
	e.add("cache", "%s", orElse(p.CacheDirectory(c), "off"))
	if image, notECR := c.Image(name); notECR != nil {
		e.add("registry", "not Amazon ECR: %v", notECR)
		e.empty("Registry")
	} else {
		if e.api, err = awsapi.Load(ctx, p.AWS(c, nil)); err != nil {
			return err
		}
		e.image(image, own)
	}
	return e.print(p)
}

// explanation is a table in blocks, each with a title, the first one without.
type explanation struct {
	config config.Config
	api    *awsapi.API
	blocks []block
}

type block struct {
	title string
	rows  [][2]string
}

func (e *explanation) add(what, format string, args ...any) {
	if len(e.blocks) == 0 {
		e.blocks = []block{{}}
	}
	last := &e.blocks[len(e.blocks)-1]
	last.rows = append(last.rows, [2]string{what, fmt.Sprintf(format, args...)})
}

func (e *explanation) title(format string, args ...any) {
	e.blocks = append(e.blocks, block{title: fmt.Sprintf(format, args...)})
}

func (e *explanation) print(p Process) error {
	out := tabwriter.NewWriter(p.Stdout, 0, 8, 2, ' ', 0)
	for _, b := range e.blocks {
		if b.title != "" {
			if err := out.Flush(); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "\n%s\n", b.title) // Flush returns the error
		}
		for _, row := range b.rows {
			_, _ = fmt.Fprintf(out, "%s\t%s\n", row[0], row[1])
		}
	}
	return out.Flush()
}

func configName(c config.Config, roles bool) string {
	path, err := filepath.Abs(c.File)
	switch {
	case c.File != "" && err == nil:
		return path
	case roles:
		return "no file, but --role"
	}
	return "no file: as the stock plugin does"
}

// image explains what happens for an image in ECR. Where the node's own account
// matters and is not given, it explains both cases, unless they are the same.
func (e *explanation) image(image registry.Image, own registry.Account) {
	reg := image.Registry()
	if image.Mirrored() {
		e.add("mirror", "%s is pulled through %s", image.Server(), reg)
	}
	if reg.Public() {
		e.add("registry", "%s, ECR Public", reg)
	} else {
		e.add("registry", "%s: account %s, region %s, partition %s%s", reg, reg.Account(), reg.Region(), reg.Partition(), forms(reg))
	}
	e.add("repository", "%s", image.Repository())
	if !own.IsZero() || reg.Public() || !e.config.Rules.DependsOnOwn(image) {
		e.decision(image, own)
		return
	}
	before := e.blocks
	e.title("Which entry governs depends on the node's own account (--own ACCOUNT). If it is %s:", reg.Account())
	e.decision(image, reg.Account())
	e.title("If it is another account:")
	e.decision(image, registry.Account{})
	if n := len(e.blocks); slices.Equal(e.blocks[n-2].rows, e.blocks[n-1].rows) {
		rows := e.blocks[n-1].rows
		e.blocks = before
		for _, row := range rows {
			e.add(row[0], "%s", row[1])
		}
	}
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

// decision explains what the configuration decides, for a pod that is not known.
func (e *explanation) decision(image registry.Image, own registry.Account) {
	d, err := plan.Decide(e.config, image, own, nil)
	if d.Entry == nil {
		e.add("entry", "none: %s; left to others, as unmatched is None", d.Why)
		e.empty(string(d.Scope()))
		return
	}
	e.add("entry", "%s: %s", d.Entry.Name, d.Why)
	if err != nil {
		e.add("error", "%v", err)
		return
	}
	e.plan(d)
	e.add("response", "for %s; cacheKeyType %s, kept for at most %s", d.AuthKey(image), d.Scope(), kept(d))
}

func (e *explanation) empty(scope string) {
	e.add("response", "no credentials, and no call to AWS; cacheKeyType %s, kept for 1h", scope)
}

// plan explains who requests the token, and where.
func (e *explanation) plan(d plan.Decision) {
	name, region, err := stsHost(e.api, d.Plan)
	sts := host(name, err)
	if region != "" {
		sts += ", in " + region
	}
	switch account := d.Entry.ServiceAccount; {
	case account != nil:
		e.serviceAccount(*account, sts)
	case len(d.Plan.Roles) == 0:
		e.add("identity", "the node's own")
	default:
		e.add("identity", "starts as the node")
	}
	for i, role := range d.Plan.Roles {
		e.add("", "%d. assumes %s (%s) at %s", i+1, role.ARN, strings.Join(details(role), ", "), sts)
	}
	if d.Plan.NodeWhenRefused {
		e.add("", "if STS denies that: the node (whenRefused)")
	}
	as := orElse(d.Plan.Identity(), "the service account's role")
	if mayBeNode(d.Entry) {
		as += ", or the node"
	}
	e.add("token", "from %s, in %s, as %s", host(e.api.ECRHost(d.Plan.API)), d.Plan.API.Region, as)
}

func details(role rule.Role) []string {
	duration := time.Duration(role.DurationSeconds) * time.Second
	d := []string{"session " + role.SessionName.String(), "for " + rule.ShortDuration(duration)}
	if role.ExternalID != "" {
		d = append(d, "with an external ID")
	}
	if len(role.Tags) > 0 {
		d = append(d, fmt.Sprintf("%d tags", len(role.Tags)))
	}
	if role.Policy != "" {
		d = append(d, "a session policy for pulls")
	}
	return d
}

// kept says how long a response is kept at most, and why.
func kept(d plan.Decision) string {
	session := time.Duration(d.Plan.SessionSeconds()) * time.Second
	fresh, why := provider.FreshFor(session), "half of the token's life"
	if fresh == session {
		why = "the session's life"
	}
	if mayBeNode(d.Entry) {
		why += "; as the node for 6h"
	}
	return rule.ShortDuration(fresh) + ", " + why
}

// mayBeNode reports whether the node may stand in for a service account.
func mayBeNode(entry *rule.Entry) bool {
	s := entry.ServiceAccount
	return s != nil && (s.NodeWhenNoToken || s.NodeWhenNoRole)
}

func (e *explanation) serviceAccount(account rule.ServiceAccount, sts string) {
	allowed := make([]string, len(account.AllowedRoles))
	for i, pattern := range account.AllowedRoles {
		allowed[i] = pattern.String()
	}
	among := "any role that trusts it"
	if !account.AnyRole {
		among = "one of " + strings.Join(allowed, ", ")
	}
	e.add("identity", "starts as the pod's service account, by the role in its annotation %s (%s) at %s", account.RoleAnnotation, among, sts)
	if account.RoleARN != nil {
		e.add("", "without the annotation: %s", account.RoleARN.Template())
	} else {
		e.add("", "without the annotation: %s", nodeOr(account.NodeWhenNoRole))
	}
	e.add("", "without a token: %s", nodeOr(account.NodeWhenNoToken))
}

func nodeOr(node bool) string {
	if node {
		return "the node, without further roles"
	}
	return "an error"
}

func host(name string, err error) string {
	if err != nil {
		return "no endpoint (" + err.Error() + ")"
	}
	return name
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
