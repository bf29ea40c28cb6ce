package awsapi

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/boundedfile"
)

// Source returns everything that selects the node's identity and the endpoints: all
// AWS_ variables, the home directory, the content of the SDK's two files without
// secrets, and the options. A file that exists but cannot be read is an error.
func Source(environ []string, o Options) ([]string, error) {
	o.Environ = environ
	parts := []string{"profile", o.Profile, o.ConfigFile}
	for _, v := range environ {
		if strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "HOME=") || strings.HasPrefix(v, "USERPROFILE=") {
			parts = append(parts, v)
		}
	}
	slices.Sort(parts[3:])
	for _, f := range o.sharedFiles() {
		content, err := boundedfile.Read(f.path, maxFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fileError(f.setting, err)
		}
		parts = append(parts, withoutKeys(string(content)))
	}
	return append(parts, fmt.Sprint(o.ECREndpoints), fmt.Sprint(o.STSEndpoints)), nil
}

// rotated are keys of the SDK's files. Their values change while the identity stays
// the same.
var rotated = []string{"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token"}

// longLived is the prefix of an access key ID that does not change with each
// session. Such an ID distinguishes identities.
const longLived = "AKIA"

// withoutKeys returns the content of one of the SDK's files without comments, and
// without values that are secret or rotated. The names of these values remain: a
// profile without them may have another identity.
func withoutKeys(content string) string {
	var kept strings.Builder
	removed := false
	for line := range strings.SplitSeq(content, "\n") {
		key, value := property(line)
		start := strings.TrimLeft(line, " \t")
		switch {
		case start == "" || start[0] == '#' || start[0] == ';':
			continue
		case slices.Contains(rotated, key) && (key != rotated[0] || !strings.HasPrefix(value, longLived)):
			line, removed = key, true
		case key == "" && line != start && removed: // a further line of the removed value
			continue
		default:
			removed = false
		}
		kept.WriteString(line + "\n")
	}
	return kept.String()
}

// property splits a line of the SDK's files as the SDK does. The key is "" if the
// line is not a property.
func property(line string) (key, value string) {
	separator := strings.IndexAny(line, "=:")
	if separator < 0 {
		return "", ""
	}
	key = strings.ToLower(strings.TrimSpace(line[:separator]))
	return key, strings.Trim(strings.TrimSpace(line[separator+1:]), `"'`)
}
