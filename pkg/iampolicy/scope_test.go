package iampolicy

import (
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// TestScopeFitsPartition: allowedRoles limit an entry to their partitions.
func TestScopeFitsPartition(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern    string
		aws, china bool
	}{
		{"arn:aws:iam::444455556666:role/pull-*", true, false},
		{"arn:aws-cn:iam::444455556666:role/pull-*", false, true},
		{"arn:{partition}:iam::444455556666:role/pull-*", true, true},
	} {
		pattern, err := rule.ParseRolePattern(test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		s := scope{entry: &rule.Entry{ServiceAccount: &rule.ServiceAccount{AllowedRoles: []rule.RolePattern{pattern}}}}
		china, err := registry.ParseRegion("cn-north-1")
		if err != nil {
			t.Fatal(err)
		}
		if s.fits(registry.AWS) != test.aws || s.fits(china.Partition()) != test.china {
			t.Errorf("%s: got aws %t, aws-cn %t; want %t, %t", test.pattern, s.fits(registry.AWS), s.fits(china.Partition()), test.aws, test.china)
		}
	}
}
