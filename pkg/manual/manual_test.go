//go:build unix

package manual_test

import (
	"context"
	"flag"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/manual"
)

func program() command.Program {
	nothing := func(context.Context, command.Process, []string) error { return nil }
	all := func(flags *flag.FlagSet) {
		flags.Bool("all", false, "do it for all")
		flags.String("file", "", "a `FILE`")
	}
	return command.Program{
		Name: "my-prog", Summary: "Does things.", Synopsis: "[--all]", Notes: ".dots begin this line.\nAnd \\ this.\n",
		Flags: all,
		Commands: []command.Command{
			{
				Name: "things", Args: "list|clear", Summary: "handle: things", Example: "things list",
				New: func(flags *flag.FlagSet) command.Run {
					all(flags)
					command.OutputFlag(flags)
					return nothing
				},
			},
			{Name: "there", Args: "[FILE|-]", Summary: "what's there", New: func(*flag.FlagSet) command.Run { return nothing }},
		},
	}
}

// TestBash: the script completes in a real bash.
func TestBash(t *testing.T) {
	t.Parallel()
	script := manual.Completion("bash", program(), command.Program{Name: "other", Commands: program().Commands[1:]})
	for line, want := range map[string]string{
		"my-prog ":                    "--help --version things there help",
		"my-prog th":                  "things there",
		"my-prog --all th":            "things there",
		"my-prog --file ":             "",
		"my-prog --file x th":         "things there",
		"my-prog things ":             "--all --file --output list clear",
		"my-prog things --o":          "--output",
		"my-prog things --output ":    "text json",
		"my-prog things --output j":   "json",
		"my-prog things --file l":     "",
		"my-prog things --all l":      "list",
		"my-prog things list --out":   "--output",
		"my-prog there ":              "",
		"my-prog there --output ":     "",
		"my-prog help t":              "things there",
		"my-prog things nonesuch":     "",
		"my-prog things it's list --": "--all --file --output",
	} {
		words := strings.Split(line, " ")
		const complete = "\nCOMP_WORDS=(\"$@\")\nCOMP_CWORD=$(($# - 1))\n_my_prog\necho \"${COMPREPLY[*]}\"\n"
		out, err := exec.CommandContext(t.Context(), "bash", append([]string{"-uc", script + complete, "bash"}, words...)...).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%q: got %q, error %v; want %q", line, out, err, want)
		}
	}
}

func TestZsh(t *testing.T) {
	t.Parallel()
	script := manual.Completion("zsh", program())
	for _, want := range []string{
		"#compdef my-prog\n", "      'things:handle\\: things'\n", `      'there:what'\''s there'` + "\n", "compdef _my_prog my-prog\n",
		"    things:--output) found=(text json) ;;\n", "    :--file) found=() ;;\n", "    things:--file) found=() ;;\n",
		"if [[ ${funcstack[1]-} == _my-prog ]]; then _${service//-/_}; fi\n",
	} {
		if !strings.Contains(script, want) {
			t.Errorf("want %q, got\n%s", want, script)
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	want := `.TH MY\-PROG 1 "" "v1\-dirty"
.SH NAME
my\-prog \- Does things.
.SH SYNOPSIS
.B my\-prog
[\-\-all] [COMMAND] [ARGUMENTS]
.SH COMMANDS
.SS things list|clear
Handle: things.
.TP
.B \-\-all
do it for all
.TP
.B \-\-file FILE
a FILE
.TP
.B \-\-output FORMAT
FORMAT of the output: text (the default) or json
.PP
Example:
.PP
.EX
my\-prog things list
.EE
.SS there [FILE|\-]
What's there.
.SS help [COMMAND]
Print this help, or that of a command.
.PP
Example:
.PP
.EX
my\-prog help things
.EE
.SH NOTES
\&.dots begin this line.
And \e this.
`
	if diff := cmp.Diff(want, manual.Page(program(), "v1-dirty")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
