package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/config"
)

// numbered returns a list of n different items.
func numbered(n int, format string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// inner returns the items of a list without the brackets, and without one item.
func inner(list, without string) string {
	return strings.Replace(strings.Trim(list, "[]"), without, "", 1)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries:"
	values := head // 4 values; then 19 entries of 1,002 values, and an entry of 2 values and its accounts
	for i := range 19 {
		values += "\n- accounts: " + numbered(1000, fmt.Sprintf("%03d%%09d", i+1))
	}
	values += "\n- accounts: "
	role := "{arn: '" + pull + "', duration: 1h, sessionName: x%d}"
	tests := []struct {
		name, most, more string
		want             string
	}{
		{
			"entries", head + " " + numbered(1000, `{accounts: ["%012d"]}`), head + " " + numbered(1001, `{accounts: ["%012d"]}`),
			"3: registries[1000]: is one too many; at most 1000 are allowed",
		},
		{
			"accounts", head + "\n- accounts: " + numbered(1000, "%012d"), head + "\n- accounts: " + numbered(1001, "%012d"),
			"4: registries[0].accounts[1000]: is one too many; at most 1000 are allowed",
		},
		{
			"exceptAccounts", strings.Replace(good, "444455556666", "*", 1) + "  exceptAccounts: " + numbered(1000, "%012d"),
			strings.Replace(good, "444455556666", "*", 1) + "  exceptAccounts: " + numbered(1001, "%012d"),
			"5: registries[0].exceptAccounts[1000]: is one too many; at most 1000 are allowed",
		},
		{
			"repositories", good + "  repositories: " + numbered(1000, "r%d"), good + "  repositories: " + numbered(1001, "r%d"),
			"5: registries[0].repositories[1000]: is one too many; at most 1000 are allowed",
		},
		{
			"regions", good + "  regions: " + numbered(256, "us-%d*"), good + "  regions: " + numbered(257, "us-%d*"),
			"5: registries[0].regions[256]: is one too many; at most 256 are allowed",
		},
		{
			"regions of all entries", good + "  regions: " + numbered(256, "us-%d*") + "\n- accounts: [own]\n  regions: [us-0*]",
			good + "  regions: " + numbered(256, "us-%d*") + "\n- accounts: [own]\n  regions: [us-0*, cn-0*, cn-*]",
			"7: registries[1].regions[1]: is one pattern too many; at most 256 different ones are allowed in all entries",
		},
		{
			"roles", good + "  assumeRoles: " + numbered(1000, role), good + "  assumeRoles: " + numbered(1001, role),
			"5: registries[0].assumeRoles[1000]: is one too many; at most 1000 are allowed",
		},
		{
			"endpoints", good + "endpoints: {ecr: {" + inner(numbered(99, "us-a-%d: 'https://ecr.example'"), "us-a-0: 'https://ecr.example', ") + "}}",
			good + "endpoints: {ecr: {" + inner(numbered(257, "x%d: 'https://ecr.example'"), "") + "}}",
			"5: endpoints.ecr.x256: is one too many; at most 256 are allowed",
		},
		{
			"values", values + numbered(956, "%012d"), values + numbered(957, "%012d"),
			"23: registries[19].accounts[956]: is one value too many; at most 20000 are allowed, counting those that aliases repeat",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := config.Load(write(t, test.most), nil); err != nil {
				t.Error(err)
			}
			file := write(t, test.more)
			_, err := config.Load(file, nil)
			found := problems(t, file, err)
			if !slices.Contains(found, test.want) {
				t.Errorf("got %v, want %s", found, test.want)
			}
		})
	}
}

// TestLargest: documents at the limits load, even if every pair of entries needs a
// full comparison. The time limit only ends a test that would take hours.
func TestLargest(t *testing.T) {
	t.Parallel()
	const entries = 19
	var accounts, patterns, prefixes strings.Builder
	for _, s := range []*strings.Builder{&accounts, &patterns, &prefixes} {
		s.WriteString("apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries:\n")
	}
	for i := range entries {
		fmt.Fprintf(&accounts, "- accounts: %s\n", numbered(1000, fmt.Sprintf("%03d%%09d", i)))
		fmt.Fprintf(&prefixes, "- accounts: [own]\n  repositories: %s\n", numbered(1000, fmt.Sprintf("%s%d/%%d", strings.Repeat("r", 20), i)))
	}
	for i := range 64 { // the patterns have common prefixes, but do not overlap
		four := make([]string, 4)
		for j := range four {
			four[j] = "us-*" + strings.Repeat("a*", 28) + fmt.Sprintf("%03d", 4*i+j)
		}
		fmt.Fprintf(&patterns, "- accounts: [own]\n  regions: [%s]\n", strings.Join(four, ", "))
	}
	for name, text := range map[string]string{"accounts": accounts.String(), "patterns": patterns.String(), "prefixes": prefixes.String()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan error, 1)
			file := write(t, text)
			go func() {
				_, err := config.Load(file, nil)
				done <- err
			}()
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(5 * time.Minute):
				t.Fatal("got no result within 5 minutes, want one")
			}
		})
	}
}

// TestManyConflicts: the number of reported conflicts is limited.
func TestManyConflicts(t *testing.T) {
	t.Parallel()
	file := write(t, good+strings.Repeat("- accounts: [own]\n", 999))
	_, err := config.Load(file, nil)
	found := problems(t, file, err)
	if len(found) != 100 || !strings.HasPrefix(found[0], "6: registries[2]: can match the same images as registries[1] at equal rank") {
		t.Errorf("got %d problems, the first is %s; want 100, the first of registries[2]", len(found), found[0])
	}
}
