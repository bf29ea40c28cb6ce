package iampolicy_test

import (
	"testing"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
)

func TestRoleOfSession(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:sts::111122223333:assumed-role/node/i-0abc": "arn:aws:iam::111122223333:role/node",
		"arn:aws-cn:sts::111122223333:assumed-role/node/a/b": "arn:aws-cn:iam::111122223333:role/node",
		"arn:aws:iam::111122223333:user/admin":               "arn:aws:iam::111122223333:user/admin",
		"arn:aws:iam::111122223333:role/path/node":           "arn:aws:iam::111122223333:role/path/node",
		"":         "",
		"nonsense": "nonsense",
		"arn:aws:sts::111122223333:assumed-role/node":             "arn:aws:iam::111122223333:role/node",
		"arn:aws:sts::111122223333:federated-user/assumed-role/x": "arn:aws:sts::111122223333:federated-user/assumed-role/x",
	} {
		if got := iampolicy.RoleOfSession(arn); got != want {
			t.Errorf("RoleOfSession(%q) = %q; want %q", arn, got, want)
		}
	}
}
