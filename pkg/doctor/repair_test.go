package doctor

import (
	"encoding/json"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// policies are the policy documents of a world. A repair adds a statement to them.
type policies struct {
	world *fakeaws.World
	// trust and permissions are the policies of roles.
	trust, permissions map[string][]any
	endpoints          map[fakeaws.Endpoint][]any
}

const repositoryARN = "arn:aws:ecr:eu-west-1:" + fakeaws.FirstAccount + ":repository/team-a/app"

// complete returns the policies with which the node can pull from the first
// account.
func complete(w *fakeaws.World) *policies {
	role := rule.NewRole(pullRole, "x")
	return &policies{
		world: w,
		trust: map[string][]any{pullRole: {iampolicy.TrustRole(nodeRole, role)}},
		permissions: map[string][]any{
			nodeRole: {iampolicy.AssumeRole(role)},
			pullRole: {iampolicy.Token(), iampolicy.Pull(rule.PullOnly, repositoryARN)},
		},
		endpoints: map[fakeaws.Endpoint][]any{},
	}
}

func document(statements []any) string {
	if len(statements) == 0 { // useless for pulls: a policy must have at least one statement
		statements = []any{map[string]any{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}
	}
	return fakeaws.MustJSON(map[string]any{"Version": "2012-10-17", "Statement": statements})
}

// trustDocument returns a trust policy. Without statements, it trusts somebody
// else.
func trustDocument(statements []any) string {
	if len(statements) == 0 {
		statements = []any{iampolicy.TrustRole("arn:aws:iam::999999999999:role/other", rule.NewRole(pullRole, "x"))}
	}
	return fakeaws.MustJSON(map[string]any{"Version": "2012-10-17", "Statement": statements})
}

// apply sets the policies in the world.
func (p *policies) apply() {
	for _, arn := range []string{nodeRole, pullRole} {
		p.world.SetRole(fakeaws.Role{
			ARN: arn, TrustPolicy: trustDocument(p.trust[arn]), Policies: map[string]string{"inline": document(p.permissions[arn])},
		})
	}
	for at, statements := range p.endpoints {
		if len(statements) == 0 {
			statements = []any{map[string]any{"Effect": "Allow", "Principal": "*", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}
		}
		p.world.SetEndpointPolicy(at, document(statements))
	}
}

// repair adds exactly the statement that the doctor printed, to the policy that it
// named.
func (p *policies) repair(t *testing.T, m *diagnosis.Missing) {
	t.Helper()
	printed, err := json.Marshal(m.Statement)
	if err != nil {
		t.Fatal(err)
	}
	statement := json.RawMessage(printed)
	switch m.Kind {
	case trustPolicy:
		p.trust[m.AttachTo] = append(p.trust[m.AttachTo], statement)
	case nodePolicy, permissionsPolicy:
		p.permissions[m.AttachTo] = append(p.permissions[m.AttachTo], statement)
	case repositoryPolicy:
		if m.AttachTo != repositoryARN {
			t.Errorf("got the policy of %s, want that of the repository", m.AttachTo)
		}
		repository := fakeaws.Repository{Account: fakeaws.FirstAccount, Region: "eu-west-1", Name: "team-a/app"}
		if err := p.world.SetResourcePolicy(repository, document([]any{statement})); err != nil {
			t.Error(err)
		}
	case endpointPolicy:
		at := map[string]fakeaws.Endpoint{"STS": fakeaws.STSEndpoint, "ecr.api": fakeaws.ECRAPIEndpoint, "ecr.dkr": fakeaws.ECRDKREndpoint, "S3": fakeaws.S3Gateway}
		name := strings.Fields(strings.TrimPrefix(m.AttachTo, "the "))[0]
		p.endpoints[at[name]] = append(p.endpoints[at[name]], statement)
	default:
		t.Fatalf("got the unknown kind of policy %q", m.Kind)
	}
	p.apply()
}

// TestMissingStatementRepairs removes one statement. doctor prints it, and exactly this
// statement makes the pull work.
func TestMissingStatementRepairs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		breakIt func(*node, *policies)
		code    string
		// more are the kinds of the statements that are missing after the first one.
		more []string
	}{
		"trust policy":     {func(_ *node, p *policies) { p.trust = map[string][]any{} }, "D19", nil},
		"nodes' policy":    {func(_ *node, p *policies) { p.permissions[nodeRole] = nil }, "D19", nil},
		"token":            {func(_ *node, p *policies) { p.permissions[pullRole] = p.permissions[pullRole][1:] }, "D21", nil},
		"pull":             {func(_ *node, p *policies) { p.permissions[pullRole] = p.permissions[pullRole][:1] }, "D23", nil},
		"token, then pull": {func(_ *node, p *policies) { p.permissions[pullRole] = nil }, "D21", []string{permissionsPolicy}},
		"external ID": {func(n *node, _ *policies) {
			n.replace("{arn: \""+pullRole+"\"}", "{arn: \""+pullRole+"\", externalID: example-id}")
		}, "", nil}, // a trust policy without the condition allows it
		"another external ID": {func(n *node, p *policies) {
			n.replace("{arn: \""+pullRole+"\"}", "{arn: \""+pullRole+"\", externalID: example-id}")
			role := rule.NewRole(pullRole, "x")
			role.ExternalID = "another"
			p.trust[pullRole] = []any{iampolicy.TrustRole(nodeRole, role)}
		}, "D19", nil},
		"session tags": {func(n *node, _ *policies) {
			n.replace("{arn: \""+pullRole+"\"}", "{arn: \""+pullRole+"\", sessionTags: {cluster: prod}}")
		}, "D19", []string{trustPolicy}}, // on both sides
		"STS endpoint": {func(_ *node, p *policies) { p.endpoints[fakeaws.STSEndpoint] = nil }, "D19", nil},
		"STS endpoint, for the own account": {func(n *node, p *policies) {
			n.config = "registries:\n- accounts: [\"*\"]\n  exceptAccounts: [own]\n  assumeRoles: [{arn: \"arn:{partition}:iam::{account}:role/ecr-pull\"}]\n" + n.settings()
			n.hybrid()
			p.endpoints[fakeaws.STSEndpoint] = []any{iampolicy.PassAssumeRole(nodeRole, rule.NewRole(pullRole, "x"))}
		}, "D09", nil},
		"ecr.api endpoint": {func(_ *node, p *policies) { p.endpoints[fakeaws.ECRAPIEndpoint] = nil }, "D21", nil},
		"ecr.dkr endpoint": {func(_ *node, p *policies) { p.endpoints[fakeaws.ECRDKREndpoint] = nil }, "D23", nil},
		"S3 gateway":       {func(_ *node, p *policies) { p.endpoints[fakeaws.S3Gateway] = nil }, "D24", nil},
		"policy of the repository": {func(n *node, p *policies) {
			n.replace("\""+fakeaws.FirstAccount, "\""+fakeaws.SecondAccount) // the node requests the token itself
			p.permissions[nodeRole] = []any{iampolicy.Token(), iampolicy.Pull(rule.PullOnly, repositoryARN)}
		}, "D23", nil},
		"trust policy for a service account": {func(n *node, p *policies) {
			n.asPod(pullRole)
			n.world.TrustIssuer(issuer(n.t))
			p.trust = map[string][]any{}
		}, "D19", nil},
		"subject of a service account": {func(n *node, p *policies) {
			n.asPod(pullRole)
			n.world.TrustIssuer(issuer(n.t))
			other := plan.Claims{Issuer: issuer(n.t).URL, Subject: "system:serviceaccount:shop:other", Audience: []string{fakeaws.Audience}}
			p.trust[pullRole] = []any{iampolicy.TrustServiceAccount(other, rule.NewRole(pullRole, "x"))}
		}, "D19", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			p := complete(n.world)
			test.breakIt(n, p)
			p.apply()
			want := test.code
			for _, kind := range append([]string{""}, test.more...) {
				v, failed := n.examine().Verdict()
				if !failed && want == "" {
					return
				}
				if !failed || want != "" && v.Check.Kind.Code != want || v.Missing == nil || kind != "" && v.Missing.Kind != kind {
					t.Fatalf("got %t, %+v, want a failure of %q with a missing statement", failed, v, want)
				}
				p.repair(t, v.Missing)
				want = ""
			}
			if report := n.examine(); !report.Success() {
				t.Error(text(t, report))
			}
		})
	}
}

// TestEndpointForServiceAccounts: an endpoint that admits only the node's role refuses a
// call that has no principal yet. STS gives no reason, so the hint names both sides.
func TestEndpointForServiceAccounts(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.asPod(pullRole)
	n.world.TrustIssuer(issuer(t))
	p := complete(n.world)
	claims := plan.Claims{Issuer: issuer(t).URL, Subject: "system:serviceaccount:shop:web", Audience: []string{fakeaws.Audience}}
	p.trust[pullRole] = []any{iampolicy.TrustServiceAccount(claims, rule.NewRole(pullRole, "x"))}
	p.endpoints[fakeaws.STSEndpoint] = []any{iampolicy.PassAssumeRole(nodeRole, rule.NewRole(pullRole, "x"))}
	p.apply()
	v, failed := n.examine().Verdict()
	if !failed || v.Check.Kind != assumeRole || v.Side != diagnosis.Unknown || !strings.Contains(v.Check.Hint, "the policy of the STS endpoint") {
		t.Errorf("got %t, %+v, want a failure of AssumeRole that names both sides", failed, v)
	}
	p.endpoints[fakeaws.STSEndpoint] = append(p.endpoints[fakeaws.STSEndpoint], iampolicy.PassServiceAccount(rule.NewRole(pullRole, "x")))
	p.apply()
	if report := n.examine(); !report.Success() {
		t.Error(text(t, report))
	}
}
