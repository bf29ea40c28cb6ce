package app

import (
	"errors"
	"testing"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/token"
)

// TestFailing: a registry with two prefixes counts once.
func TestFailing(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	states := []token.State{
		{Key: "a.example.com/team-a/", Failing: refused},
		{Key: "a.example.com/team-b/", Failing: refused},
		{Key: "b.example.com", Failing: refused},
		{Key: "c.example.com"},
		{Key: "own", Failing: refused},
	}
	if n := failing(states); n != 3 {
		t.Errorf("got %d registries, want 3", n)
	}
}
