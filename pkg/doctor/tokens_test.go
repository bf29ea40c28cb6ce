package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ecr-cross-account-credential-provider/pkg/config"
)

// TestServiceAccountEntries: the entries that need a token are those that may govern one
// of the images.
func TestServiceAccountEntries(t *testing.T) {
	t.Parallel()
	const first, second = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/app", "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app"
	const node, pod = ", source: Node}\n", ", source: ServiceAccount, serviceAccount: {allowedRoles: [\"arn:aws:iam::{account}:role/pull\"]}}\n"
	for name, test := range map[string]struct {
		entries string
		images  []string
		want    []string
	}{
		"no images":             {`- {accounts: ["444455556666"]` + pod, nil, []string{"registries[0]"}},
		"named":                 {`- {accounts: ["444455556666"]` + pod, []string{first, second}, []string{"registries[0]"}},
		"another account":       {`- {accounts: ["444455556666"]` + pod, []string{first}, nil},
		"every account":         {`- {accounts: ["*"]` + pod, []string{first}, []string{"registries[0]"}},
		"named before every":    {`- {accounts: ["*"]` + pod + `- {accounts: ["444455556666"]` + node, []string{second}, nil},
		"possibly the own":      {`- {accounts: ["own"]` + pod, []string{first}, []string{"registries[0]"}},
		"possibly not the own":  {`- {accounts: ["own"]` + node + `- {accounts: ["*"]` + pod, []string{first}, []string{"registries[1]"}},
		"ECR Public":            {`- {accounts: ["*"]` + pod, []string{"public.ecr.aws/docker/library/busybox"}, nil},
		"not ECR":               {`- {accounts: ["*"]` + pod, []string{"docker.io/library/busybox"}, nil},
		"the node for each pod": {`- {accounts: ["444455556666"]` + node, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(file, []byte("apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries:\n"+test.entries), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, entry := range (&examination{config: c}).serviceAccountEntries(test.images) {
				got = append(got, entry.Name)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
