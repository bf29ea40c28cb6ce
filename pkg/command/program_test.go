package command_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ecr-cross-account-credential-provider/pkg/command"
)

// program echoes what its commands get.
func program() command.Program {
	var global string
	all := func(flags *flag.FlagSet) { flags.StringVar(&global, "global", cmp.Or(global, "unset"), "for all") }
	echo := func(flags *flag.FlagSet) command.Run {
		all(flags)
		own := flags.String("own", "none", "an `ACCOUNT`")
		json := command.OutputFlag(flags)
		return func(_ context.Context, p command.Process, args []string) error {
			_, err := fmt.Fprintf(p.Stdout, "global=%s own=%s json=%t args=%q\n", global, *own, *json, args)
			return err
		}
	}
	fail := func(*flag.FlagSet) command.Run {
		return func(context.Context, command.Process, []string) error { return fmt.Errorf("no luck\ntoday") }
	}
	return command.Program{
		Name: "prog", Summary: "Does things.", Synopsis: "[--global X]", Notes: "The end.\n",
		Flags: all,
		Commands: []command.Command{
			{Name: "echo", Args: "[WORD]", Summary: "repeat the words", Example: "echo a b", New: echo},
			{Name: "fail", Summary: "fail", New: fail},
			{Name: "machine", Summary: "fail for a program", New: fail, ForPrograms: true},
			command.Version(),
		},
	}
}

func TestProgram(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, args     string
		status         int
		stdout, stderr string // the start of each output
	}{
		{"flags before the command", "--global g echo a", 0, `global=g own=none json=false args=["a"]`, ""},
		{"flags after the arguments", "echo a --own o b --output json --global g", 0, `global=g own=o json=true args=["a" "b"]`, ""},
		{"no flags after --", "echo a -- --own", 0, `global=unset own=none json=false args=["a" "--own"]`, ""},
		{"version", "version", 0, "prog v1 (go1.", ""},
		{"version as a flag", "--version", 0, "prog v1 (go1.", ""},
		{"version as JSON", "version --output json", 0, "{\n  \"version\": \"v1\",\n  \"commit\": \"", ""},
		{"version of something", "version x", 2, "", "prog: version takes no arguments\n"},
		{"help", "help", 0, "Does things.\n\nusage: prog [--global X] [COMMAND] [ARGUMENTS]\n\n  echo [WORD]     repeat the words\n  fail            fail\n", ""},
		{"help as a flag", "--help", 0, "Does things.", ""},
		{"help of a command", "help echo", 0, "usage: prog echo [FLAGS] [WORD]\n\necho: repeat the words.\n\nflags:\n  --global string  for all\n  --output FORMAT  ", ""},
		{"the command's help as a flag", "echo --help", 0, "usage: prog echo [FLAGS] [WORD]", ""},
		{"help of a command without flags", "help fail", 0, "usage: prog fail\n\nfail: fail.\n", ""},
		{"a leading flag that the command does not take", "--global g fail", 2, "", "prog: fail takes no --global; for the flags, run: prog help fail\n"},
		{"a leading flag before --version", "--global g --version", 2, "", "prog: version takes no --global; for the flags, run: prog help version\n"},
		{"a flag that the command does not take", "fail --global g", 2, "", "prog: flag provided but not defined: -global; for the flags, run: prog help fail\n"},
		{"help of two commands", "help echo fail", 2, "", "prog: help takes one command, not 2"},
		{"help of an unknown one", "help ech", 2, "", `prog: unknown command "ech"; did you mean echo?`},
		{"unknown command", "ecko", 2, "", `prog: unknown command "ecko"; did you mean echo?; for the list of commands, run: prog help` + "\n"},
		{"unknown flag", "--nonsense", 2, "", "prog: flag provided but not defined: -nonsense; for the flags, run: prog help\n"},
		{"unknown flag of a command", "echo --nonsense", 2, "", "prog: flag provided but not defined: -nonsense; for the flags, run: prog help echo\n"},
		{"unknown output", "echo --output xml", 2, "", `prog: invalid value "xml" for flag -output: "xml" is not text or json; for`},
		{"no command", "", 2, "", "Does things."},
		{"flags alone", "--global g", 2, "", "prog: no command; for the list of commands, run: prog help\n"},
		{"an error is one line", "fail", 1, "", "prog: no luck today\n"},
		{"an error for a program", "machine", 1, "", "prog: no luck today"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			status := program().Main(t.Context(), command.Process{Args: strings.Fields(test.args), Stdout: &stdout, Stderr: &stderr, Version: "v1"})
			if status != test.status || !starts(stdout.String(), test.stdout) || !starts(stderr.String(), test.stderr) {
				t.Errorf("status %d\nstdout %q\nstderr %q\nwant %d, %q, %q", status, &stdout, &stderr, test.status, test.stdout, test.stderr)
			}
			if test.name == "an error for a program" && strings.HasSuffix(stderr.String(), "\n") {
				t.Errorf("got stderr %q; want no line break at its end", &stderr)
			}
		})
	}
}

// starts reports whether s starts with a text. If the text is empty, s must be
// empty too.
func starts(s, with string) bool { return strings.HasPrefix(s, with) && (with != "" || s == "") }

// TestSignal: after a signal, Main waits for a command that ends itself, and reports its
// error. Main does not wait for other commands.
func TestSignal(t *testing.T) {
	t.Parallel()
	for endsItself, want := range map[bool]struct {
		stderr string
		took   time.Duration
	}{true: {"prog: restored\n", time.Minute}, false: {"prog: stopped by a signal\n", 0}} {
		t.Run(fmt.Sprintf("EndsItself %t", endsItself), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, signal := context.WithCancel(t.Context())
				defer signal()
				change := func(ctx context.Context, _ command.Process, _ []string) error {
					signal()
					<-ctx.Done()
					time.Sleep(time.Minute) // in the bubble's time, while the command restores files
					return errors.New("restored")
				}
				pr := command.Program{Name: "prog", Commands: []command.Command{
					{Name: "change", EndsItself: endsItself, New: func(*flag.FlagSet) command.Run { return change }},
				}}
				var stderr bytes.Buffer
				start := time.Now()
				status := pr.Main(ctx, command.Process{Args: []string{"change"}, Stderr: &stderr})
				if took := time.Since(start); status != command.Failed || stderr.String() != want.stderr || took != want.took {
					t.Errorf("got status %d, stderr %q after %s; want %d, %q after %s", status, &stderr, took, command.Failed, want.stderr, want.took)
				}
				time.Sleep(time.Minute) // a bubble waits for no sleeping command
			})
		})
	}
}
