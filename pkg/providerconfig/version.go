package providerconfig

import (
	"fmt"
	"regexp"
	"strconv"
)

// Version is the version of a kubelet. It has only the part on which the kubelet's
// rules depend. The zero value means unknown, and counts as the latest.
type Version struct{ minor int }

var versionPattern = regexp.MustCompile(`\bv1\.(\d{1,3})\b`)

// ParseVersion finds the version in a kubelet's output, such as "Kubernetes
// v1.34.4-eks-1a2b3c".
func ParseVersion(text string) (Version, error) {
	found := versionPattern.FindStringSubmatch(text)
	if found == nil {
		return Version{}, fmt.Errorf("no version of Kubernetes such as v1.34.4 in %q", text)
	}
	minor, err := strconv.Atoi(found[1])
	return Version{minor}, err
}

// String returns the version as 1.34.
func (v Version) String() string {
	if v.minor == 0 {
		return "of an unknown version"
	}
	return fmt.Sprintf("1.%d", v.minor)
}

// ByName reports whether the kubelet tries providers in the order of their names.
// Otherwise it uses the order of its configuration.
func (v Version) ByName() bool { return !v.atLeast(33) }

// Served reports whether the plugin serves the kubelet.
func (v Version) Served() bool { return v.atLeast(29) }

// TakesDirectories reports whether the configuration may be a directory of files.
func (v Version) TakesDirectories() bool { return v.atLeast(34) }

// PassesTokens reports whether the kubelet passes on the tokens of pods by default.
func (v Version) PassesTokens() bool { return v.atLeast(34) }

func (v Version) atLeast(minor int) bool { return v.minor == 0 || v.minor >= minor }
