package doctor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDenial(t *testing.T) {
	t.Parallel()
	const user = "arn:aws:sts::111122223333:assumed-role/node/i-0abc"
	const role = "arn:aws:iam::444455556666:role/ecr-pull"
	assume := denial{user: user, action: "sts:AssumeRole", resource: role}
	with := func(policy policyType, explicit bool) denial {
		d := assume
		d.policy, d.explicit = policy, explicit
		return d
	}
	const words = "AccessDenied: User: " + user + " is not authorized to perform: sts:AssumeRole on resource: " + role
	for name, test := range map[string]struct {
		text string
		want denial
		ok   bool
	}{
		"no reason":      {words, assume, true},
		"identity":       {words + " because no identity-based policy allows the sts:AssumeRole action", with(identityBased, false), true},
		"trust, denied":  {words + " with an explicit deny in a resource-based policy", with(resourceBased, true), true},
		"identity, deny": {words + " with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/x", with(identityBased, true), true},
		"boundary":       {words + " because no permissions boundary allows the sts:AssumeRole action", with(boundary, false), true},
		"session":        {words + " because no session policy allows the sts:AssumeRole action", with(session, false), true},
		"SCP":            {words + " with an explicit deny in a service control policy", with(serviceSCP, true), true},
		"RCP":            {words + " because no resource control policy allows the sts:AssumeRole action", with(resourceRCP, false), true},
		"endpoint":       {words + " because no VPC endpoint policy allows the sts:AssumeRole action", with(endpoint, false), true},
		"a new type":     {words + " because no moon policy allows the sts:AssumeRole action", assume, true},
		"web identity": {
			"AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
			denial{action: "sts:AssumeRoleWithWebIdentity"},
			true,
		},
		"not a denial": {"ThrottlingException: Rate exceeded", denial{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := parseDenial(test.text)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(denial{})); diff != "" || ok != test.ok {
				t.Error(ok, diff)
			}
		})
	}
}
