package operator

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/install"
)

func TestWithCure(t *testing.T) {
	t.Parallel()
	denied := fmt.Errorf("mkdir /var/lib/x: %w", fs.ErrPermission)
	const root, other = 0, 1000
	for _, test := range []struct {
		name string
		err  error
		user int
		want string
	}{
		{"no error", nil, other, "<nil>"},
		{"another error", errors.New("no space"), other, "no space"},
		{"another user", denied, other, "mkdir /var/lib/x: permission denied; run it as root"},
		{"root", denied, root, "mkdir /var/lib/x: permission denied"},
	} {
		if got := fmt.Sprint(withCure(test.err, test.user)); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	var exit *command.ExitError
	if err := withCure(install.UsageError{}, root); !errors.As(err, &exit) || exit.Status != command.Misused {
		t.Errorf("a usage error: got %#v, want the exit status %d", err, command.Misused)
	}
}
