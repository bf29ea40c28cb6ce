//go:build linux

package attacks_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestManyAccounts: an attacker who names 560 accounts under "*" does not evict the
// token that the cluster uses.
func TestManyAccounts(t *testing.T) {
	t.Parallel()
	n := newNode(t, strings.Replace(assume, `["`+fakeaws.FirstAccount+`"]`, `["*"]
  exceptAccounts: [own]`, 1)+"deadline: 50s\n")
	n.aws.World.SetRole(fakeaws.Role{ARN: pullRole, Trust: []fakeaws.Trust{{Principal: fakeaws.Everybody}}})
	n.write("config.yaml", strings.Replace(n.read("config.yaml"), pullRole, "arn:aws:iam::{account}:role/ecr-pull", 1))
	n.aws.World.TrustEverybody()
	n.want(n.pull(image), outcome{})
	n.want(n.pull(image), outcome{}) // so the token is in use
	mine := n.find("cache", registryHost)
	const attackers, accounts = 8, 560
	var attack sync.WaitGroup
	for i := range attackers {
		attack.Go(func() {
			for account := i; account < accounts; account += attackers {
				cmd := n.command()
				cmd.Stdin = strings.NewReader(request(fmt.Sprintf("%012d.dkr.ecr.eu-west-1.amazonaws.com/app", account)))
				_ = cmd.Run() // the outcome does not matter
			}
		})
	}
	attack.Wait()
	if entries := len(n.entries()); entries > 512+attackers || entries < 500 {
		t.Errorf("%d entries, want 500 to %d", entries, 512+attackers)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("the token of the cluster was evicted: %v", err)
	}
	n.aws.Forget()
	n.want(n.pull(image), outcome{})
	n.wantCalls(0)
}

// TestStoppedHolder: a process that is stopped while it holds a lock delays others for
// at most half of their deadline. The holder's own deadline does not matter.
func TestStoppedHolder(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume+"deadline: 50s\n")
	n.aws.Break(fakeaws.STS, fakeaws.Fault{Kind: fakeaws.HangHeaders, Times: 1})
	holder := n.command()
	holder.Stdin = strings.NewReader(request(image))
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	wait(t, func() bool { return len(n.aws.Calls(fakeaws.STS)) > 0 })
	if err := holder.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = holder.Process.Kill()
		_ = holder.Wait()
	})
	n.write("config.yaml", n.configuration(assume+"deadline: 8s\n"))
	n.want(n.pull(image), outcome{})
}

// wait waits until a condition is true.
func wait(t testing.TB, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	end := time.After(hang)
	for !condition() {
		select {
		case <-ticker.C:
		case <-end:
			t.Fatal("the condition never became true")
		}
	}
}

// TestBurst: 30 processes on a cold node together ask once for the node's account,
// and once for the token.
func TestBurst(t *testing.T) {
	t.Parallel()
	n := newNode(t, "registries:\n- accounts: [own]\n  regions: [eu-west-1]\ndeadline: 50s\n")
	var burst sync.WaitGroup
	for range 30 {
		burst.Go(func() {
			cmd := n.command()
			cmd.Stdin = strings.NewReader(request(ownImage))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, brief(string(out)))
			}
		})
	}
	burst.Wait()
	identity := 0
	for _, call := range n.aws.Calls() {
		if strings.Contains(call.Operation, "instance-identity") || call.Operation == "GetCallerIdentity" {
			identity++
		}
	}
	if identity != 1 {
		t.Errorf("the node's account was asked for %d times, want once", identity)
	}
	n.wantCalls(1, fakeaws.ECR)
}
