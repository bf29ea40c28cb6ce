package registry_test

import (
	"encoding/json"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
)

func TestAPI(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"111122223333.dkr.ecr.eu-west-1.amazonaws.com/app":      `{"region":"eu-west-1"}`,
		"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app":      `{"region":"eu-west-1"}`,
		"111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/app": `{"region":"us-east-1","fips":true}`,
		"111122223333.dkr-ecr.us-east-1.on.aws/app":             `{"region":"us-east-1","dualStack":true}`,
		"111122223333.dkr-ecr-fips.us-east-1.on.aws/app":        `{"region":"us-east-1","fips":true,"dualStack":true}`,
		"public.ecr.aws/x/app":                                  `{"region":"us-east-1","public":true}`,
		"ecr-public.aws.com/x/app":                              `{"region":"us-east-1","public":true}`,
	} {
		parsed, ok := registry.Parse(image)
		if !ok {
			t.Fatalf("%s is not in ECR", image)
		}
		got, err := json.Marshal(parsed.Registry().API())
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", image, got, err, want)
		}
	}
}
