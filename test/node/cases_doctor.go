package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// doctorCases prove the advice of the operator's tool. It names what is missing, and
// adding exactly that is sufficient.
var doctorCases = []Case{
	{ID: "15a", Name: "doctor names the missing statement, which repairs the node", Setup: Setup{Config: oneRole, World: func(w *fakeaws.World) {
		w.SetRole(fakeaws.Role{ARN: firstRole, Trust: []fakeaws.Trust{{Principal: "arn:aws:iam::" + fakeaws.NodeAccount + ":role/other"}}})
	}}, Run: repairedByDoctor},
	{ID: "15b", Name: "doctor says what a mirror that falls back would leak", Setup: Setup{Examples: mirrorExamples}, Run: leakSeen},
}

// diagnosis is what doctor prints as JSON.
type diagnosis struct {
	Success bool
	Checks  []struct{ Code, Description, Result, Detail, Hint string }
	Verdict *struct {
		Cause, Side, Account, Policy, AttachTo string

		Statement json.RawMessage
	}
}

// String returns the checks whose result is not ok.
func (d diagnosis) String() string {
	var s strings.Builder
	for _, c := range d.Checks {
		if c.Result != "ok" {
			fmt.Fprintf(&s, "%s %s %s: %s; ", c.Code, c.Result, c.Description, c.Detail)
		}
	}
	return s.String()
}

// Doctor runs the operator's tool like an operator on the node.
func (n *Node) Doctor(ctx context.Context, images ...string) (d diagnosis, err error) {
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, "ecr-cross-account"), append([]string{"doctor", "--output", "json"}, images...)...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = []string{}, &stdout, &stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		err = nil
	}
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &d)
	}
	if err != nil {
		return d, fmt.Errorf("doctor: %w: %s", err, stderr.Bytes())
	}
	return d, nil
}

// repairedByDoctor: the trust policy names another role. The pod becomes Ready when the
// printed statement, and nothing else, is added.
func repairedByDoctor(ctx context.Context, n *Node) error {
	image := firstRegistry + "/team-a/app:1"
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pod(ctx, "app", image) },
		func() error { return n.Waiting(ctx, "ImagePullBackOff", "401 Unauthorized", "app") },
		func() error {
			d, err := n.Doctor(ctx, image)
			if err != nil {
				return err
			}
			return n.repair(d)
		},
		func() error { return n.Ready(ctx, "app") },
		func() error { return n.PulledBy(image, firstSession) },
		func() error {
			d, err := n.Doctor(ctx, image)
			if err == nil && !d.Success {
				err = fmt.Errorf("after the repair, doctor still reports: %s", d)
			}
			return err
		},
	)
}

// repair adds the statement of the verdict to the policy that the verdict names.
func (n *Node) repair(d diagnosis) error {
	v := d.Verdict
	if v == nil || v.Cause != "D19" || v.Side != "unknown" || v.Account != fakeaws.FirstAccount || v.Policy != "trust-policy" || v.AttachTo != firstRole {
		return fmt.Errorf("the verdict is %+v: %s", v, d)
	}
	n.AWS.World.SetRole(fakeaws.Role{
		ARN: v.AttachTo, Pull: []string{firstRepository("team-a/*").ARN()},
		TrustPolicy: fakeaws.MustJSON(map[string]any{"Version": "2012-10-17", "Statement": []json.RawMessage{v.Statement}}),
	})
	return nil
}

// leakSeen: with the example's hosts.toml, doctor finds no problem. Without "server",
// it names the host to which the token would leak.
func leakSeen(ctx context.Context, n *Node) error {
	image := "docker.io/" + cached
	said := func(result, text string) error {
		d, err := n.Doctor(ctx, image)
		if err != nil {
			return err
		}
		for _, c := range d.Checks {
			if c.Code == "D06" && c.Result == result && strings.Contains(c.Detail, text) {
				return nil
			}
		}
		return fmt.Errorf("no check D06 is %s with %q: %s", result, text, d)
	}
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return said("ok", dockerHosts+" leads to "+firstRegistry+" only") },
		withoutServer,
		func() error { return said("failed", "lets containerd offer the token to docker.io") },
	)
}
