package install

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/procfs"
)

// kubeletEnviron returns the variables of the kubelet's environment that belong to the
// node's identity. The environment is that of the running kubelet, else that of its
// unit.
func (n *node) kubeletEnviron(process procfs.Process) ([]string, error) {
	if n.running {
		environ, err := process.Environ()
		if errors.Is(err, fs.ErrPermission) {
			return nil, errors.New("reading the kubelet's environment: permission denied; run install as root")
		}
		return ofIdentity(environ), err
	}
	var environ []string
	for _, service := range n.platform.services {
		for _, file := range n.disk.unitFiles(service) {
			environ = append(environ, n.disk.unitEnviron(file)...)
		}
	}
	return ofIdentity(environ), nil
}

// ofIdentity keeps the variables that choose the node's identity: those of the AWS SDK,
// and HOME, because the SDK looks for its files there. If a variable is set twice, the
// last value counts.
func ofIdentity(environ []string) (kept []string) {
	for _, variable := range slices.Backward(environ) {
		name, _, ok := strings.Cut(variable, "=")
		known := slices.ContainsFunc(kept, func(other string) bool { return strings.HasPrefix(other, name+"=") })
		if ok && !known && (strings.HasPrefix(name, "AWS_") || name == "HOME") {
			kept = append(kept, variable)
		}
	}
	slices.Sort(kept)
	return kept
}

// secretVariables hold credentials. A unit must not contain them.
var secretVariables = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}

func hasSecret(environ []string) bool {
	return slices.ContainsFunc(environ, func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(secretVariables, name)
	})
}

// unitEnviron returns the environment that a unit's file sets (systemd.exec(5)).
func (d disk) unitEnviron(file string) (environ []string) {
	content, err := readFile(d.at(file))
	if err != nil {
		return nil // most nodes have few of these files
	}
	text := strings.ReplaceAll(string(content), "\\\n", " ") // a backslash continues the line
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "Environment":
			environ = append(environ, words(strings.ReplaceAll(value, "%%", "%"))...)
		case "EnvironmentFile":
			environ = append(environ, d.environFile(strings.TrimPrefix(value, "-"))...)
		}
	}
	return environ
}

// environFile returns the variables of an EnvironmentFile.
func (d disk) environFile(file string) (environ []string) {
	content, err := readFile(d.at(file))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(content)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") && !strings.HasPrefix(name, ";") {
			environ = append(environ, name+"="+strings.Trim(value, `"'`))
		}
	}
	return environ
}

// words splits a text at white space, but not within quotes.
func words(text string) (all []string) {
	var word strings.Builder
	var quote rune
	for _, c := range text + " " {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && (c == ' ' || c == '\t'):
			if word.Len() > 0 {
				all = append(all, word.String())
			}
			word.Reset()
		default:
			word.WriteRune(c)
		}
	}
	return all
}
