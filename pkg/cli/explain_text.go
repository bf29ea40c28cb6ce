package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// explanation is an answer as a table for people.
type explanation struct {
	answer
	table
}

// printText prints a table. roles reports whether the command line has --role.
func (a answer) printText(p Process, roles bool) error {
	e := &explanation{answer: a}
	e.add("config", "%s", configName(a.config, roles))
	e.add("cache", "%s", cmp.Or(p.CacheDirectory(a.config), "off"))
	if a.notECR != nil {
		e.add("registry", "not Amazon ECR: %v", a.notECR)
		e.empty(plan.ScopeNotECR(a.config, a.image))
		return e.print(p.Stdout, p.Color())
	}
	e.image()
	if len(a.cases) == 1 {
		e.decision(a.cases[0])
	} else {
		e.title("Which entry governs depends on the node's own account (--own ACCOUNT). If it is %s:", a.parsed.Registry().Account())
		e.decision(a.cases[0])
		e.title("If it is another account:")
		e.decision(a.cases[1])
	}
	return e.print(p.Stdout, p.Color())
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

// image explains the image's name.
func (e *explanation) image() {
	image := e.parsed
	reg := image.Registry()
	if image.Mirrored() {
		e.add("mirror", "%s is pulled through %s", image.Server(), reg)
	}
	if reg.Public() {
		e.add("registry", "%s, ECR Public", reg)
	} else {
		e.add("registry", "account %s, region %s, partition %s%s", reg.Account(), reg.Region(), reg.Partition(), forms(reg))
	}
	e.add("repository", "%s", image.Repository())
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

// decision explains what the configuration decides.
func (e *explanation) decision(d decided) {
	if d.Entry == nil {
		e.add("entry", "none: %s; left to other providers, because unmatched is None", d.Why)
		e.empty(d.Scope())
		return
	}
	e.add("entry", "%s: %s", placed(d.Entry), d.Why)
	if d.err != nil {
		e.wrong("error", d.err)
		return
	}
	e.plan(d)
	e.add("response", "credentials for %s", d.AuthKey(e.parsed))
	e.add("", "cacheKeyType %s, kept for at most %s", d.Scope(), e.kept(d))
}

// placed names an entry, with its line in the file if it has one.
func placed(entry *rule.Entry) string {
	if entry.Line == 0 {
		return entry.Name
	}
	return fmt.Sprintf("%s (line %d)", entry.Name, entry.Line)
}

func (e *explanation) empty(scope kubelet.Scope) {
	e.add("response", "no credentials, and no call to AWS")
	e.add("", "cacheKeyType %s, kept for 1h", scope)
}

// plan explains who requests the token, and where.
func (e *explanation) plan(d decided) {
	e.source(d)
	for i, role := range d.Plan.Roles {
		e.add(fmt.Sprintf("role %d", i+1), "%s", role.ARN)
		e.add("", "%s", strings.Join(details(role), ", "))
	}
	if d.Plan.AssumesRoles() {
		name, region, err := stsHost(e.api, d.Plan)
		sts := host(name, err)
		if region != "" {
			sts += ", in " + region
		}
		e.add("assumed by", "%s", sts)
	}
	if d.Plan.NodeWhenRefused {
		e.add("refused", "if STS denies a role, the node's own identity requests the token (whenRefused)")
	}
	e.add("token", "from %s, in %s", host(e.api.ECRHost(d.Plan.API)), d.Plan.API.Region)
	as := cmp.Or(d.Plan.Identity(), "the service account's role")
	if e.mayBeNode(d) {
		as += ", or the node"
	}
	e.add("", "for %s", as)
}

func details(role rule.Role) []string {
	duration := time.Duration(role.DurationSeconds) * time.Second
	d := []string{"session " + role.SessionName.String(), rule.ShortDuration(duration)}
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

// kept returns how long the kubelet keeps a response at most, and why.
func (e *explanation) kept(d decided) string {
	session := time.Duration(d.Plan.SessionSeconds()) * time.Second
	fresh, why := provider.FreshFor(session), "half of the token's life"
	if fresh == session {
		why = "the session's life"
	}
	if e.mayBeNode(d) {
		why += "; 6h if the node requests the token"
	}
	return rule.ShortDuration(fresh) + ", " + why
}

// mayBeNode reports whether the node's identity may replace an unknown service
// account.
func (e *explanation) mayBeNode(d decided) bool {
	s := d.Entry.ServiceAccount
	return s != nil && e.pod.name == "" && (s.NodeWhenNoToken || s.NodeWhenNoRole)
}

func host(name string, err error) string {
	if err != nil {
		return "no endpoint (" + err.Error() + ")"
	}
	return name
}
