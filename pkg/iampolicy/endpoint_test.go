package iampolicy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
)

// TestEndpointServices: the services of VPC endpoints have the names of their partition.
func TestEndpointServices(t *testing.T) {
	t.Parallel()
	const entries = `unmatched: None
registries:
- {accounts: ["444455556666"], assumeRoles: [{arn: "arn:{partition}:iam::{account}:role/pull"}]}
`
	for _, test := range []struct{ partition, region, sts, ecr string }{
		{"aws", "eu-west-1", "com.amazonaws", "com.amazonaws"},
		{"aws-us-gov", "us-gov-west-1", "com.amazonaws", "com.amazonaws"},
		{"aws-cn", "cn-north-1", "cn.com.amazonaws", "cn.com.amazonaws"},
		{"aws-eusc", "eusc-de-east-1", "com.amazonaws", "eu.amazonaws"},
		{"aws-iso", "us-iso-east-1", "com.amazonaws", "gov.ic.c2s"},
		{"aws-iso-b", "us-isob-east-1", "com.amazonaws", "gov.sgov.sc2s"},
		{"aws-iso-e", "eu-isoe-west-1", "com.amazonaws", "uk.adc-e.cloud"},
		{"aws-iso-f", "us-isof-south-1", "com.amazonaws", "gov.ic.hci.csp"},
	} {
		t.Run(test.region, func(t *testing.T) {
			t.Parallel()
			f, r := facts(t, "side=endpoints region="+test.region+" node=arn:"+test.partition+":iam::111122223333:role/node")
			items, err := iampolicy.Derive(load(t, entries), f, r)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range items {
				got = append(got, i.AttachTo)
			}
			end := "." + test.region
			want := []string{
				test.sts + end + ".sts", test.ecr + end + ".ecr.api", test.ecr + end + ".ecr.dkr", "com.amazonaws" + end + ".s3",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
