package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestBurst: 30 pods with images of 10 repositories start on a cold node. AWS is
// asked once, whether it succeeds or fails.
func TestBurst(t *testing.T) {
	t.Parallel()
	t.Run("a token", func(t *testing.T) {
		t.Parallel()
		aws := startAWS(t, fakeaws.Options{})
		for _, got := range burst(t, aws) {
			if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, `"password":"`) {
				t.Errorf("got status %d, stderr %q; want a token", got.status, got.stderr)
			}
		}
		if sts, ecr := len(aws.Calls(fakeaws.STS)), len(aws.Calls(fakeaws.ECR)); sts != 1 || ecr != 1 {
			t.Errorf("got %d calls to STS and %d to ECR, want one each", sts, ecr)
		}
	})
	t.Run("a refusal", func(t *testing.T) {
		t.Parallel()
		aws := startAWS(t, fakeaws.Options{})
		aws.Break(fakeaws.STS, fakeaws.Denied())
		for _, got := range burst(t, aws) {
			got.wantOneLine(t, "AccessDenied: not authorized")
		}
		if sts := len(aws.Calls(fakeaws.STS)); sts != 1 {
			t.Errorf("got %d calls to STS, want one", sts)
		}
	})
}

func burst(t *testing.T, aws *fakeaws.Server) []result {
	t.Helper()
	const pods, repositories = 30, 10
	env := append(aws.Env(), "HOME=/nonexistent", "TEST_CACHE="+t.TempDir()+"/cache")
	results := make([]result, pods)
	var wait sync.WaitGroup
	for i := range pods {
		cmd := command(t, env, "--role", "444455556666=arn:aws:iam::444455556666:role/ecr-pull")
		cmd.Stdin = strings.NewReader(request(fmt.Sprintf("444455556666.dkr.ecr.eu-west-1.amazonaws.com/app-%d", i%repositories)))
		wait.Go(func() { results[i] = run(t, cmd) })
	}
	wait.Wait()
	return results
}
