package fakeaws

import "testing"

func TestMayPull(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::111122223333:role/node"
	app := Repository{Account: "111122223333", Region: "eu-west-1", Name: "team-a/app"}
	foreign := Repository{Account: "444455556666", Region: "eu-west-1", Name: "team-a/app"}
	tests := []struct {
		name    string
		pull    []string
		policy  Repository
		region  string
		from    Repository
		allowed bool
	}{
		{name: "own account, no permission", from: app},
		{name: "own account, by the role", pull: []string{"*"}, from: app, allowed: true},
		{name: "own account, by the role, exactly", pull: []string{app.ARN()}, from: app, allowed: true},
		{name: "own account, by the role, by prefix", pull: []string{"arn:aws:ecr:eu-west-1:111122223333:repository/team-a/*"}, from: app, allowed: true},
		{name: "own account, another repository's role", pull: []string{app.ARN() + "2"}, from: app},
		{name: "own account, by a policy", policy: app, from: app, allowed: true},
		{name: "other account, by the role alone", pull: []string{"*"}, from: foreign},
		{name: "other account, by a policy alone", policy: foreign, from: foreign},
		{name: "other account, by both", pull: []string{"*"}, policy: foreign, from: foreign, allowed: true},
		{name: "other account, by the registry's policy", pull: []string{"*"}, policy: Repository{Account: foreign.Account, Region: foreign.Region}, from: foreign, allowed: true},
		{name: "other account, another registry's policy", pull: []string{"*"}, policy: Repository{Account: foreign.Account, Region: "us-east-1"}, from: foreign},
		{name: "another region's token", pull: []string{"*"}, region: "us-east-1", from: app},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := NewWorld(Node{Role: role}, Role{ARN: role, Pull: test.pull})
			if test.policy != (Repository{}) {
				w.AllowPull(test.policy, role)
			}
			region := test.region
			if region == "" {
				region = test.from.Region
			}
			err := w.MayPull(Grant{Principal: sessionARN(role, "i-0"), Role: role, Region: region}, test.from)
			if (err == nil) != test.allowed {
				t.Errorf("got %v, want allowed %t", err, test.allowed)
			}
		})
	}
}

// TestPullOfOwnAccount: if a repository's policy names the account, the role's
// permissions decide. If it names the role, that is sufficient.
func TestPullOfOwnAccount(t *testing.T) {
	t.Parallel()
	app := Repository{NodeAccount, "eu-west-1", "app"}
	grant := Grant{Principal: sessionARN(nodeRole, "i-0"), Role: nodeRole, Region: "eu-west-1"}
	for principal, want := range map[string]bool{NodeAccount: false, nodeRole: true} {
		w := NewWorld(Node{Role: nodeRole})
		w.AllowPull(app, principal)
		if err := w.MayPull(grant, app); (err == nil) != want {
			t.Errorf("policy names %s: got %v, want allowed %t", principal, err, want)
		}
	}
}
