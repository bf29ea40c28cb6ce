package release_test

import (
	"regexp"
	"strings"
	"testing"
)

// TestScriptsStartNothing: no maintainer's script enables, starts or restarts a unit.
func TestScriptsStartNothing(t *testing.T) {
	t.Parallel()
	r := get(t, first)
	texts := map[string]string{}
	deb, rpm := r.file(t, "*_amd64.deb"), r.file(t, "*.x86_64.rpm")
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		texts[script] = must(t, "dpkg-deb", "--info", deb, script)
	}
	texts["rpm"] = must(t, "rpm", "--query", "--package", "--queryformat", "%{POSTIN}%{PREUN}%{POSTUN}", rpm)
	starts := regexp.MustCompile(`\b(systemctl|service|invoke-rc\.d|deb-systemd-\w+)\b.*\b(re)?(start|load-or-restart|enable)\b`)
	for script, text := range texts {
		if !strings.HasPrefix(text, "#!/bin/sh\n") {
			t.Errorf("%s: got %q, want a script for sh", script, text)
		}
		for line := range strings.Lines(text) {
			if starts.MatchString(line) {
				t.Errorf("%s: got %s, want no line that starts a unit", script, line)
			}
		}
	}
}

// TestZsh: the package's file completes both programs at the first call, directly after
// zsh has loaded it. The test replaces the functions that need a terminal.
func TestZsh(t *testing.T) {
	t.Parallel()
	r, dir := get(t, first), t.TempDir()
	must(t, "dpkg-deb", "--extract", r.file(t, "*_amd64.deb"), dir)
	const complete = `fpath=($1); autoload -Uz _ecr-cross-account
compdef() { }; _files() { print files }; _describe() { print -rl -- $found }
service=$2; words=($2 ver); CURRENT=2; _ecr-cross-account`
	for _, program := range []string{name, "ecr-cross-account"} {
		out := must(t, "zsh", "-fc", complete, "zsh", dir+"/usr/share/zsh/vendor-completions", program)
		if !strings.Contains(out, "\nversion:print the version\n") {
			t.Errorf("%s: got %q, want its commands", program, out)
		}
	}
}
