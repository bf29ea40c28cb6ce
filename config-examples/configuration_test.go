package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// pull is an image and the expected result: the entry that governs it and the
// roles. An external ID follows its role after a blank.
type pull struct {
	image, entry string
	roles        []string
}

// configurations are the configurations in this directory.
var configurations = map[string][]pull{
	"minimal.yaml": {
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "registries[0]", []string{"arn:aws:iam::444455556666:role/ecr-pull images-for-111122223333"}},
		{"444455556666.dkr-ecr-fips.us-east-1.on.aws/team-a/app", "registries[0]", []string{"arn:aws:iam::444455556666:role/ecr-pull images-for-111122223333"}},
		{"111122223333.dkr.ecr.eu-west-1.amazonaws.com/app", "", nil},
		{"777788889999.dkr.ecr.eu-west-1.amazonaws.com/app", "", nil},
	},
	"many-accounts.yaml": {
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "registries[1]", []string{"arn:aws:iam::444455556666:role/ecr-pull"}},
		{"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app", "registries[1]", []string{"arn:aws-cn:iam::123456789012:role/ecr-pull"}},
		{"777788889999.dkr.ecr.eu-west-1.amazonaws.com/app", "registries[0]", []string{"arn:aws:iam::777788889999:role/ecr-pull images-for-111122223333"}},
		{"111122223333.dkr.ecr.eu-west-1.amazonaws.com/app", "", nil},
		{"602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns", "", nil},
		{"877085696533.dkr.ecr.af-south-1.amazonaws.com/eks/coredns", "", nil},
		{"800184023465.dkr.ecr.ap-east-1.amazonaws.com/eks/coredns", "", nil},
	},
	"chained-role.yaml": {
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "registries[0]", []string{
			"arn:aws:iam::777788889999:role/ecr-hub", "arn:aws:iam::444455556666:role/ecr-pull images-for-111122223333",
		}},
		{"777788889999.dkr.ecr.eu-west-1.amazonaws.com/app", "", nil},
	},
	"partitions.yaml": {
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "registries[0]", []string{"arn:aws:iam::444455556666:role/ecr-pull"}},
		{"123456789012.dkr.ecr.us-gov-west-1.amazonaws.com/app", "registries[0]", []string{"arn:aws-us-gov:iam::123456789012:role/ecr-pull"}},
		{"777788889999.dkr.ecr.cn-north-1.amazonaws.com.cn/app", "registries[1]", []string{"arn:aws-cn:iam::777788889999:role/cn-ecr-pull"}},
		{"777788889999.dkr.ecr.eu-west-1.amazonaws.com/app", "", nil},
	},
	"service-account.yaml": {
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "registries[0]", []string{podRole}},
		{"777788889999.dkr.ecr.eu-west-1.amazonaws.com/app", "registries[1]", []string{
			podRole, "arn:aws:iam::777788889999:role/ecr-pull images-for-111122223333",
		}},
		{"111122223333.dkr.ecr.eu-west-1.amazonaws.com/app", "", nil},
		{"602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/coredns", "", nil},
	},
	"without-role.yaml": {
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/team-a/app", "registries[0]", nil},
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "", nil},
		{"444455556666.dkr.ecr.us-east-1.amazonaws.com/team-a/app", "", nil},
	},
	"hybrid-nodes.yaml": {
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "registries[0]", []string{"arn:aws:iam::444455556666:role/ecr-pull images-for-111122223333"}},
		{"602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns", "", nil},
	},
	"mirrors.yaml": {
		{"docker.io/library/nginx", "registries[0]", []string{"arn:aws:iam::444455556666:role/ecr-pull"}},
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx", "registries[0]", []string{"arn:aws:iam::444455556666:role/ecr-pull"}},
		{"777788889999.dkr.ecr.eu-west-1.amazonaws.com/app", "", nil},
	},
	"privatelink.yaml": {
		{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "registries[0]", []string{"arn:aws:iam::444455556666:role/ecr-pull images-for-111122223333"}},
		{"602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns", "", nil},
	},
}

func TestConfigurations(t *testing.T) {
	t.Parallel()
	for file, pulls := range configurations {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			c := load(t, read(t, file))
			for _, want := range pulls {
				entry, roles := match(t, c, want.image)
				if entry != want.entry || !slices.Equal(roles, want.roles) {
					t.Errorf("%s: got entry %q with roles %q; want %q with %q", want.image, entry, roles, want.entry, want.roles)
				}
			}
		})
	}
}

// load loads a copy of a configuration. The plugin refuses files that a group may
// write, and a checkout may have such files.
func load(t *testing.T, content string) config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// match returns the entry that governs an image, and its roles.
func match(t *testing.T, c config.Config, name string) (entry string, roles []string) {
	t.Helper()
	governing, resolved := resolve(t, c, name)
	if governing == nil {
		return "", nil
	}
	for _, role := range resolved {
		roles = append(roles, strings.TrimSpace(role.ARN+" "+role.ExternalID))
	}
	return governing.Name, roles
}

// resolve returns the entry and the roles for an image. If a pod is the source, it
// is the one of kubernetes/service-account.yaml.
func resolve(t *testing.T, c config.Config, name string) (entry *rule.Entry, roles []rule.Parameters) {
	t.Helper()
	image, err := c.Image(name)
	if err != nil {
		t.Fatalf("%s: got %v; want an image in ECR", name, err)
	}
	own, err := registry.ParseAccount(nodeAccount)
	if err != nil {
		t.Fatal(err)
	}
	entry = c.Rules.Match(image, own).Entry
	if entry == nil {
		return nil, nil
	}
	pod := readServiceAccount(t).Metadata
	if source := entry.ServiceAccount; source != nil {
		arn, err := source.Role(image.Registry(), pod.Annotations)
		if err != nil {
			t.Fatal(err)
		}
		roles = append(roles, rule.Parameters{ARN: arn})
	}
	for _, template := range entry.Roles {
		role, err := template.Resolve(image.Registry(), entry.Repositories, &rule.Pod{Namespace: pod.Namespace, ServiceAccount: pod.Name})
		if err != nil {
			t.Fatal(err)
		}
		parameters, err := role.Parameters(func() string { return "i-0abc" })
		if err != nil {
			t.Fatal(err)
		}
		roles = append(roles, parameters)
	}
	return entry, roles
}
