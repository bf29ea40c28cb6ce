package identity

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/pkg/secret"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

const (
	hub  = "arn:aws:iam::444455556666:role/hub"
	pull = "arn:aws:iam::444455556666:role/pull"
)

func region(t *testing.T, name string) registry.Region {
	t.Helper()
	r, err := registry.ParseRegion(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// planFor returns a plan for eu-west-1 with roles.
func planFor(t *testing.T, roles ...rule.Role) plan.Plan {
	t.Helper()
	return plan.Plan{API: registry.API{Region: region(t, "eu-west-1")}, Roles: roles}
}

func template(t *testing.T, text string) rule.Template {
	t.Helper()
	parsed, err := rule.ParseTemplate(text, "node")
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestExecuteTwoHops: every parameter of the plan reaches STS, with the node's name
// filled in. Each role is assumed with the credentials of the role before.
func TestExecuteTwoHops(t *testing.T) {
	t.Parallel()
	alone(t)
	p := planFor(t,
		rule.Role{ARN: hub, SessionName: template(t, "hub-{node}"), DurationSeconds: 900},
		rule.Role{
			ARN: pull, ExternalID: "images", SessionName: template(t, "{node}"), DurationSeconds: 1800,
			Tags: []rule.Tag{{Key: "node", Value: template(t, "n-{node}")}, {Key: "team", Value: template(t, "a")}}, Policy: `{"Version":"2012-10-17","Statement":[]}`,
		})
	p.STSRegion = region(t, "eu-north-1")
	session, err := newChain(t).Execute(t.Context(), p, secret.Text{})
	if err != nil {
		t.Fatal(err)
	}
	const node = "i-0123456789abcdef0"
	want := []fakeaws.Call{
		{Service: fakeaws.STS, Operation: "AssumeRole", Region: "eu-north-1", Role: hub, Session: "hub-" + node, Duration: 15 * time.Minute, Outcome: "ok"},
		{
			Service: fakeaws.STS, Operation: "AssumeRole", Region: "eu-north-1", Role: pull, Session: node, Duration: 30 * time.Minute, Outcome: "ok",
			Principal:  "arn:aws:sts::444455556666:assumed-role/hub/hub-" + node,
			ExternalID: "images", Tags: []string{"node=n-" + node, "team=a"}, Policy: p.Roles[1].Policy,
		},
	}
	got := fake.Calls(fakeaws.STS)
	for i := range got {
		got[i].Host = ""
		if i == 0 {
			got[i].Principal = ""
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got)\n%s", diff)
	}
	if session.Principal != pull || session.Refusal != nil || time.Until(session.Ends) > 30*time.Minute || !session.Credentials().HasKeys() {
		t.Errorf("got %+v, want credentials of %s for at most 30m", session, pull)
	}
}

// TestExecuteAsTheNode: a plan without roles makes no call to STS.
func TestExecuteAsTheNode(t *testing.T) {
	t.Parallel()
	alone(t)
	session, err := newChain(t).Execute(t.Context(), planFor(t), secret.Text{})
	if err != nil || !strings.HasPrefix(session.Principal, "the node's identity (") || !session.Ends.IsZero() {
		t.Errorf("got %+v, %v; want the node's identity", session, err)
	}
	if calls := fake.Calls(fakeaws.STS); len(calls) > 0 {
		t.Errorf("got calls %v, want none", calls)
	}
}

// TestExecuteRefused: the message names the role, its position, the registry and
// the caller, and says what to do.
func TestExecuteRefused(t *testing.T) {
	t.Parallel()
	alone(t)
	absent := rule.NewRole("arn:aws:iam::444455556666:role/absent", "x1")
	with := absent
	with.ExternalID = "id"
	for name, test := range map[string]struct {
		plan plan.Plan
		want []string
	}{
		"one role": {planFor(t, absent), []string{
			"assuming role arn:aws:iam::444455556666:role/absent for registry 444455556666.dkr.ecr.eu-west-1.amazonaws.com as the node's identity (EC2RoleProvider): AccessDenied: ",
			"; the role's trust policy and the node role's policy must both allow it; check that the role exists and that it requires no external ID",
		}},
		"the second role": {planFor(t, rule.NewRole(hub, "x1"), with), []string{
			"role/absent (role 2 of 2) for registry ", " as " + hub + ": AccessDenied: ",
			"; the role's trust policy and the policy of " + hub + " must both allow it; check that the role exists and that its external ID is the configuration's",
		}},
	} {
		_, err := newChain(t).Execute(t.Context(), test.plan, secret.Text{})
		class, ok := failure.Of(err)
		if !ok || class != failure.Refused {
			t.Fatalf("%s: got %v, class %v; want class %v", name, err, class, failure.Refused)
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v\nwant %s", name, err, want)
			}
		}
	}
}

// TestExecuteFallsBack: Execute falls back to the node's identity only after a
// refusal.
func TestExecuteFallsBack(t *testing.T) {
	t.Parallel()
	alone(t)
	p := planFor(t, rule.NewRole("arn:aws:iam::444455556666:role/absent", "x1"))
	p.NodeWhenRefused = true
	session, err := newChain(t).Execute(t.Context(), p, secret.Text{})
	if err != nil || session.Refusal == nil || !session.Ends.IsZero() {
		t.Fatalf("got %+v, %v; want the node's identity with a refusal", session, err)
	}
	if text := session.Refusal.Error(); !strings.Contains(text, "AccessDenied") || strings.Contains(text, "dkr.ecr") || !strings.HasPrefix(text, "assuming role arn:aws:iam::444455556666:role/absent as the node's identity (EC2RoleProvider): ") {
		t.Errorf("got refusal %s, want the role and AccessDenied, without the registry", text)
	}
	fake.Break(fakeaws.STS, fakeaws.Broken(0))
	if session, err = newChain(t).Execute(t.Context(), p, secret.Text{}); err == nil {
		t.Errorf("got %+v without STS, want an error", session)
	}
}

// TestExecuteServiceAccount: the pod's token starts the chain, and the node's
// credentials are not used.
func TestExecuteServiceAccount(t *testing.T) {
	t.Parallel()
	alone(t)
	issuer, err := fakeaws.NewIssuer("https://oidc.example.com/identity")
	if err != nil {
		t.Fatal(err)
	}
	world.TrustIssuer(issuer)
	text, err := issuer.Token("shop", "web", fakeaws.Audience, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	token := secret.New(text)
	claims, err := plan.ReadClaims(token)
	if err != nil {
		t.Fatal(err)
	}
	p := planFor(t, rule.NewRole(pull, "last"))
	p.ServiceAccount = &plan.ServiceAccount{Role: rule.NewRole(hub, claims.SessionName()), Claims: claims}
	p.STSRegion = region(t, "eu-west-1")
	session, err := newChain(t).Execute(t.Context(), p, token)
	if err != nil || session.Principal != pull {
		t.Fatalf("got %+v, %v; want a session of %s", session, err, pull)
	}
	calls := fake.Calls()
	if len(calls) != 2 || calls[0].Operation != "AssumeRoleWithWebIdentity" || calls[0].Session != "shop.web" || calls[0].Role != hub ||
		calls[1].Principal != "arn:aws:sts::444455556666:assumed-role/hub/shop.web" {
		t.Errorf("got calls %v, want AssumeRoleWithWebIdentity for %s, and then AssumeRole", calls, hub)
	}
	for name, test := range map[string]struct {
		role, token, want string
		class             failure.Class
	}{
		"refused":   {"arn:aws:iam::444455556666:role/absent", text, "must name the cluster's OIDC provider and allow this subject and audience", failure.Refused},
		"bad token": {hub, text[:len(text)-8] + "AAAAAAAA", "needs an IAM OIDC provider for the cluster's issuer", failure.CallersToken},
	} {
		p.ServiceAccount.Role.ARN = test.role
		_, err := newChain(t).Execute(t.Context(), p, secret.New(test.token))
		class, _ := failure.Of(err)
		if err == nil || class != test.class || !strings.Contains(err.Error(), "as service account shop/web: ") || !strings.HasSuffix(err.Error(), test.want) && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got class %v: %v; want class %v: %s", name, class, err, test.class, test.want)
		}
		if err != nil && strings.Contains(err.Error(), test.token[:40]) {
			t.Errorf("%s: got the token in %v", name, err)
		}
	}
}

// TestExecuteInOtherPartition: Execute does not call STS outside the registry's
// partition.
func TestExecuteInOtherPartition(t *testing.T) {
	t.Parallel()
	alone(t)
	p := planFor(t, rule.NewRole(pull, "x1"))
	p.STSRegion = region(t, "cn-north-1")
	_, err := newChain(t).Execute(t.Context(), p, secret.Text{})
	if err == nil || !strings.HasPrefix(err.Error(), "assuming the roles of registries[0] for registry 444455556666.dkr.ecr.eu-west-1.amazonaws.com: STS would be called in cn-north-1") {
		t.Errorf("got %v, want an error about cn-north-1", err)
	}
	if calls := fake.Calls(fakeaws.STS); len(calls) > 0 {
		t.Errorf("got calls %v, want none", calls)
	}
}
