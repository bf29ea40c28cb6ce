//go:build linux

// Package iam_test proves that the policies of the command iam are sufficient and
// minimal. A fake AWS has exactly the roles, trust policies, permissions, OIDC
// providers and VPC endpoints of the printed documents. With them, the real plugin gets
// a token for each example configuration, and the test pulls an image with it. Then the
// test removes one part of the documents at a time. Without a statement, an action, a
// resource, a principal or a value, or with another value in a condition, a pull fails.
// Without a condition, a stranger can pull.
package iam_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

const (
	module = "ecr-cross-account-credential-provider"
	root   = "../.."
)

// plugin and tool are the programs' paths.
var plugin, tool string

func TestMain(m *testing.M) { os.Exit(build(m)) }

// build builds the programs once and runs the tests. The programs have no default cache
// and no journal.
func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "iam")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	plugin, tool = filepath.Join(dir, module), filepath.Join(dir, "ecr-cross-account")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.cacheDirectory= -X main.patience=1m -X main.journal=", "-o", dir, "./cmd/"+module, "./cmd/ecr-cross-account")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the programs: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// These are the names in the examples' world.
const (
	nodeAccount  = "111122223333"
	nodeRole     = "arn:aws:iam::111122223333:role/node"
	region       = "eu-west-1"
	organization = "o-exampleorgid"
	issuerURL    = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
	podRole      = "arn:aws:iam::444455556666:role/pull-team-a"
)

// cluster signs the tokens of service accounts.
var cluster = sync.OnceValues(func() (*fakeaws.Issuer, error) { return fakeaws.NewIssuer(issuerURL) })
