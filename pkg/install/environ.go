package install

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/procfs"
)

// kubeletEnviron returns the variables of the kubelet's environment that the plugin uses.
// The environment is that of the running kubelet, else that of its unit.
func (n *node) kubeletEnviron(process procfs.Process) ([]string, error) {
	if n.running {
		environ, err := process.Environ()
		if errors.Is(err, fs.ErrPermission) {
			return nil, errors.New("reading the kubelet's environment: permission denied; run install as root")
		}
		return usedByPlugin(environ), err
	}
	var environ []string
	for _, service := range n.platform.services {
		for _, file := range n.disk.unitFiles(service) {
			environ = append(environ, n.disk.unitEnviron(file)...)
		}
	}
	return usedByPlugin(environ), nil
}

// networkVariables name proxies and CA certificates. A proxy's variable may also be in
// lower case.
var networkVariables = []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}

// usedByPlugin keeps the variables that the plugin uses: those of the AWS SDK, those of
// the network, and HOME, because the SDK looks for its files there. If a variable is set
// twice, the last value counts.
func usedByPlugin(environ []string) (kept []string) {
	for _, variable := range slices.Backward(environ) {
		name, _, ok := strings.Cut(variable, "=")
		known := slices.ContainsFunc(kept, func(other string) bool { return strings.HasPrefix(other, name+"=") })
		used := strings.HasPrefix(name, "AWS_") || name == "HOME" || slices.Contains(networkVariables, strings.ToUpper(name))
		if ok && !known && used {
			kept = append(kept, variable)
		}
	}
	slices.Sort(kept)
	return kept
}

// secretVariables hold credentials.
var secretVariables = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}

// hasCredential reports whether a variable, NAME=VALUE, holds credentials for AWS.
func hasCredential(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return slices.Contains(secretVariables, name)
}

// hasLogin reports whether a variable, NAME=VALUE, is a proxy's URL with a user, who may
// have a password.
func hasLogin(variable string) bool {
	name, value, _ := strings.Cut(variable, "=")
	return strings.HasSuffix(strings.ToUpper(name), "_PROXY") && strings.Contains(value, "@")
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
