package rule_test

import (
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// TestFits: roles and allowedRoles limit an entry to their partition.
func TestFits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		arn        string
		aws, china bool
	}{
		{"arn:aws:iam::444455556666:role/pull", true, false},
		{"arn:aws-cn:iam::444455556666:role/pull", false, true},
		{"arn:{partition}:iam::444455556666:role/pull", true, true},
	} {
		role, err := rule.NewRoleTemplate(test.arn)
		if err != nil {
			t.Fatal(err)
		}
		pods := allowed(t, test.arn)
		for _, e := range []rule.Entry{{Roles: []rule.RoleTemplate{role}}, {ServiceAccount: &pods}} {
			if aws, china := e.Fits(registry.AWS), e.Fits(registry.AWSCN); aws != test.aws || china != test.china {
				t.Errorf("%s: got aws %t, aws-cn %t; want %t, %t", test.arn, aws, china, test.aws, test.china)
			}
		}
	}
}
