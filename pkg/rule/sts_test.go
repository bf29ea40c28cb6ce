package rule_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/rule"
)

// These patterns are those of STS (STS API, Tag). Dots and slashes are ordinary
// characters in them.
var (
	stsTagKey   = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`)
	stsTagValue = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

func TestLegalSessionName(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"legal", "aZ0_+=,.@-", "aZ0_+=,.@-"},
		{"namespace and name", "shop.web", "shop.web"},
		{"subject", "system:serviceaccount:shop:web", "system-serviceaccount-shop-web"},
		{"nothing", "", "--"},
		{"one letter", "x", "x-"},
		{"two letters", "xy", "xy"},
		{"64 letters", strings.Repeat("x", 64), strings.Repeat("x", 64)},
		{"65 letters", strings.Repeat("x", 64) + "y", strings.Repeat("x", 64)},
		{"endless", strings.Repeat("x", 1<<20), strings.Repeat("x", 64)},
		{"slash and space", "a/b c", "a-b-c"},
		{"newline and NUL", "a\nb\x00", "a-b-"},
		{"letters of several bytes", "ü語", "-----"},
		{"a letter of two bytes across the limit", strings.Repeat("x", 63) + "ü", strings.Repeat("x", 63) + "-"},
		{"not UTF-8", "\xff\xfe", "--"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := rule.LegalSessionName(test.in)
			if got != test.want || !stsName.MatchString(got) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if again := rule.LegalSessionName(got); again != got {
				t.Errorf("a legal name changed: got %q, want %q", again, got)
			}
		})
	}
}

func TestShortDuration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   time.Duration
		want string
	}{
		{0, "0s"},
		{time.Millisecond, "1ms"},
		{30 * time.Second, "30s"},
		{time.Minute, "1m"},
		{90 * time.Second, "1m30s"},
		{10 * time.Minute, "10m"},
		{time.Hour, "1h"},
		{time.Hour + time.Second, "1h0m1s"},
		{time.Hour + 10*time.Minute, "1h10m"},
		{10*time.Hour + time.Minute, "10h1m"},
		{100 * time.Hour, "100h"},
		{-15 * time.Minute, "-15m"},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			t.Parallel()
			got := rule.ShortDuration(test.in)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if again, err := time.ParseDuration(got); err != nil || again != test.in {
				t.Errorf("parsing %s: got %s, %v, want %s", got, again, err, test.in)
			}
		})
	}
}

// TestARN: ARN returns the same ARN, or the same error, as resolving the whole role.
func TestARN(t *testing.T) {
	t.Parallel()
	for _, arn := range []string{pull, "arn:{partition}:iam::{account}:role/{region}/pull", "arn:aws-cn:iam::{account}:role/pull"} {
		for _, image := range []string{teamA + "/eu-west-1/app", teamB + "/cn-north-1/app"} {
			reg := newImage(t, image).Registry()
			got, err := newRole(t, arn).ARN(reg)
			role, forErr := parameters(newRole(t, arn), reg, nil, values{Node: node})
			if got != role.ARN || (err == nil) != (forErr == nil) || err != nil && err.Error() != forErr.Error() {
				t.Errorf("%s for %s: got %q, %v, want %q, %v as in the resolved role", arn, image, got, err, role.ARN, forErr)
			}
		}
	}
}
