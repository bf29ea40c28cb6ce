//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// program is a program to measure.
type program struct {
	name, path string
	// prepare writes the program's files into a directory. It returns the program's
	// arguments, and its environment variables besides those of AWS.
	prepare func(dir string, r row) (args, env []string, err error)
	// answers means that the program is a plugin, not the floor.
	answers bool
	// caches means that a process leaves a token for later processes.
	caches bool
}

// ours is this plugin. Each directory has its own cache.
func ours(path string) program {
	return program{name: "this plugin", path: path, answers: true, caches: true, prepare: func(dir string, _ row) ([]string, []string, error) {
		config := filepath.Join(dir, "config.yaml")
		text := fmt.Sprintf(ourConfig, fakeaws.FirstAccount, firstRole, fakeaws.SecondAccount, hubRole, secondRole, fakeaws.ExampleExternalID, filepath.Join(dir, "cache"))
		return []string{"--config", config}, nil, os.WriteFile(config, []byte(text), 0o600)
	}}
}

const ourConfig = `apiVersion: ecr-cross-account-credential-provider/v1alpha1
kind: CrossAccountConfig
registries:
- accounts: [%q]
  assumeRoles:
  - arn: %s
- accounts: [%q]
  assumeRoles:
  - arn: %s
  - arn: %s
    externalID: %s
cache: {directory: %s}
`

// stock is cloud-provider-aws's plugin. It has no configuration. An AWS profile
// makes it assume roles, which are the same for all registries.
func stock(path string) program {
	return program{name: "stock plugin", path: path, answers: true, prepare: func(dir string, r row) ([]string, []string, error) {
		if r.profile == "" {
			return nil, nil, nil
		}
		config := filepath.Join(dir, "aws-config")
		env := []string{"AWS_CONFIG_FILE=" + config, "AWS_PROFILE=" + r.profile}
		text := fmt.Sprintf(stockConfig, firstRole, hubRole, secondRole, fakeaws.ExampleExternalID)
		return nil, env, os.WriteFile(config, []byte(text), 0o600)
	}}
}

const stockConfig = `[profile first]
role_arn = %s
credential_source = Ec2InstanceMetadata
[profile hub]
role_arn = %s
credential_source = Ec2InstanceMetadata
[profile second]
role_arn = %s
source_profile = hub
external_id = %s
`

// nothing is the program floor, which does nothing.
func nothing(path string) program {
	return program{name: "floor", path: path, prepare: func(string, row) ([]string, []string, error) { return nil, nil, nil }}
}

// tools are the programs that the bench needs besides the measured ones.
type tools struct{ launch, floor string }

// build compiles the tools like the plugin: static and stripped.
func build(dir string) (tools, error) {
	t := tools{filepath.Join(dir, "launch"), filepath.Join(dir, "floor")}
	for _, path := range []string{t.launch, t.floor} {
		cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path,
			"ecr-cross-account-credential-provider/test/bench/"+filepath.Base(path))
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := cmd.CombinedOutput(); err != nil {
			return tools{}, errors.Join(err, errors.New(string(output)))
		}
	}
	return t, nil
}
