package rule

import (
	"errors"
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

const arnForm = "arn:PARTITION:iam::ACCOUNT:role/NAME"

var errAccountPattern = errors.New("the account cannot be a pattern; want its 12 digits, or {account} for the registry's")

// shortest holds a short value for each placeholder. parseARN checks a role's length
// with these values.
var shortest = map[string]string{"partition": "aws", "account": "000000000000", "region": "us-east-1"}

// parseARN parses a role's ARN. It may contain the placeholders {partition},
// {account} and {region}. They stand for those of the registry.
func parseARN(s string) (Template, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" {
		return Template{}, fmt.Errorf("%q is not an IAM role ARN; want %s", printable.Long(s), arnForm)
	}
	if err := checkOwner(parts[1], parts[4]); err != nil {
		return Template{}, fmt.Errorf("%q is not an IAM role ARN: %w", printable.Long(s), err)
	}
	t, err := ParseTemplate(s, "account", "region", "partition")
	if err != nil {
		return Template{}, err
	}
	if err := checkRolePath(strings.SplitN(t.with(shortest).String(), ":", 6)[5]); err != nil {
		return Template{}, fmt.Errorf("%q is not an IAM role ARN: %w", printable.Long(s), err)
	}
	return t, nil
}

func checkOwner(partition, account string) (err error) {
	if partition != "{partition}" {
		_, err = registry.ParsePartition(partition)
	}
	switch {
	case err != nil || account == "{account}":
		return err
	case strings.Contains(account, "*"):
		return errAccountPattern
	}
	_, err = registry.ParseAccount(account)
	return err
}

// checkRolePath accepts role/NAME or role/PATH/NAME. IAM allows names of at most 64
// characters of [\w+=,.@-], and paths of at most 512 (IAM API, CreateRole).
func checkRolePath(s string) error {
	path, ok := strings.CutPrefix(s, "role/")
	if !ok {
		return fmt.Errorf("want %s", arnForm)
	}
	if dots := "/" + path + "/"; strings.Contains(dots, "/./") || strings.Contains(dots, "/../") {
		return errors.New("a role's path cannot have . or .. as a part")
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	if name == "" || len(name) > 64 || !onlyOf(name, nameText) {
		return errors.New("a role's name has 1 to 64 letters, digits or any of _+=,.@-")
	}
	if len("/"+path)-len(name) > 512 || !onlyOf(path, nameText+"/") || strings.HasPrefix(path, "/") || strings.Contains(path, "//") {
		return errors.New("a role's path has at most 512 letters, digits or any of _+=,.@- in parts separated by one slash")
	}
	return nil
}

// partOf returns one part of a parsed ARN. It is empty for the zero value.
func partOf(arn Template, i int) string { return strings.SplitN(arn.String()+":::::", ":", 6)[i] }

// expandARN returns the ARN for a registry.
func expandARN(t Template, reg registry.Registry) (string, error) {
	if p := partOf(t, 1); p != "{partition}" && p != reg.Partition().String() {
		return "", fmt.Errorf("role %s is in partition %s and the registry in %s; roles are assumed within one partition only",
			printable.Long(t.String()), p, reg.Partition())
	}
	return t.with(map[string]string{
		"partition": reg.Partition().String(), "account": reg.Account().String(), "region": reg.Region().String(),
	}).String(), nil
}
