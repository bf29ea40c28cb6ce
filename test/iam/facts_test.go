//go:build linux

package iam_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestOnNode: on a node, iam needs no flags for the node's role and region.
func TestOnNode(t *testing.T) {
	t.Parallel()
	n := newNode(t, examples[0], stranger{})
	for args, want := range map[string]string{
		"--side nodes":     `"attachTo": "` + nodeRole + `"`,
		"--side images":    `"AWS": "` + nodeRole + `"`,
		"--side endpoints": `"attachTo": "com.amazonaws.eu-west-1.ecr.dkr"`,
	} {
		if status, stdout, stderr := n.tool(args); status != 0 || !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("%s: status %d, %s\n%s", args, status, stderr, stdout)
		}
	}
}

// TestNotOnNode: on another machine, the error names the missing flag. After this error or
// another, iam prints no document.
func TestNotOnNode(t *testing.T) {
	t.Parallel()
	n := newNode(t, examples[0], stranger{})
	n.env = append(n.env, "AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=")
	for args, want := range map[string]string{
		"--side nodes": "the role of the nodes is not known; name it with --node-role (this machine does not provide it: no AWS credentials on this node: ",
		"--side endpoints --node-role " + nodeRole:                   "the region of the VPC's endpoints is not known; name it with --region",
		"--node-role node":                                           `"node" is not the ARN of a role; want one such as arn:aws:iam::111122223333:role/node`,
		"--format yaml":                                              `"yaml" is not json, cli, terraform or cloudformation`,
		"--node-role " + nodeRole + " --format cli":                  "the documents are for 111122223333, 444455556666; choose one with --account",
		"--node-role " + nodeRole + " --account 999900001111":        "the configuration needs no such documents in account 999900001111",
		"--node-role " + nodeRole + " --organization o-1":            `"o-1" is not the ID of an organization`,
		"--node-role " + nodeRole + " --issuer http://example.com":   "is not an issuer; want a URL such as https://",
		"--node-role " + nodeRole + " --service-account app":         `"app" is not a service account; want NAMESPACE/NAME=ROLE_ARN`,
		"--node-role " + nodeRole + " --side nodes further-argument": "iam takes no arguments",
	} {
		if status, stdout, stderr := n.tool(args); status != 2 || stdout != "" || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %s\n%s", args, status, stderr, stdout)
		}
	}
}

// tool runs the command iam on the node.
func (n *node) tool(args string) (status int, stdout, stderr string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, append([]string{"iam", "--config", n.config}, strings.Fields(args)...)...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = n.env, &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		n.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
