package rule

import (
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// arnTemplate is a role's ARN in which {partition}, {account} and {region} may
// stand for those of the registry.
type arnTemplate struct {
	partition, account string // literal, or the placeholder
	resource           Template
}

const arnForm = "arn:PARTITION:iam::ACCOUNT:role/NAME"

// shortest stands for the placeholders where a role's length is checked.
var shortest = map[string]string{"partition": "aws", "account": "000000000000", "region": "us-east-1"}

func parseARN(s string) (arnTemplate, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" {
		return arnTemplate{}, fmt.Errorf("%q is not an IAM role ARN; want %s", printable.Long(s), arnForm)
	}
	t := arnTemplate{partition: parts[1], account: parts[4]}
	if t.partition != "{partition}" {
		if _, err := registry.ParsePartition(t.partition); err != nil {
			return arnTemplate{}, fmt.Errorf("%q is not an IAM role ARN: %w", printable.Long(s), err)
		}
	}
	if t.account != "{account}" {
		if _, err := registry.ParseAccount(t.account); err != nil {
			return arnTemplate{}, fmt.Errorf("%q is not an IAM role ARN: %w", printable.Long(s), err)
		}
	}
	resource, err := ParseTemplate(parts[5], "account", "region", "partition")
	if err != nil {
		return arnTemplate{}, err
	}
	if err := checkRolePath(resource.expand(func(placeholder string) string { return shortest[placeholder] })); err != nil {
		return arnTemplate{}, fmt.Errorf("%q is not an IAM role ARN: %w", printable.Long(s), err)
	}
	t.resource = resource
	return t, nil
}

// checkRolePath takes role/NAME or role/PATH/NAME. IAM's own limits: a name of
// at most 64 characters of [\w+=,.@-], a path of at most 512 (IAM API, CreateRole).
func checkRolePath(s string) error {
	path, ok := strings.CutPrefix(s, "role/")
	if !ok {
		return fmt.Errorf("want %s", arnForm)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return fmt.Errorf("the role's path goes astray")
		}
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	if name == "" || len(name) > 64 || !onlyOf(name, "+=,.@-") {
		return fmt.Errorf("the role's name has 1 to 64 letters, digits or any of _+=,.@-")
	}
	if len("/"+path)-len(name) > 512 || !onlyOf(path, "/+=,.@-") || strings.HasPrefix(path, "/") || strings.Contains(path, "//") {
		return fmt.Errorf("the role's path has at most 512 letters, digits or any of _+=,.@- in parts separated by one slash")
	}
	return nil
}

func (t arnTemplate) expand(reg registry.Registry) string {
	partition, account := t.partition, t.account
	if partition == "{partition}" {
		partition = reg.Partition().String()
	}
	if account == "{account}" {
		account = reg.Account().String()
	}
	return "arn:" + partition + ":iam::" + account + ":" + t.resource.expand(func(placeholder string) string {
		return registryValue(placeholder, reg)
	})
}

func registryValue(placeholder string, reg registry.Registry) string {
	switch placeholder {
	case "account":
		return reg.Account().String()
	case "region":
		return reg.Region().String()
	case "partition":
		return reg.Partition().String()
	}
	return ""
}
