package rule_test

import (
	"testing"

	"ecr-cross-account-credential-provider/pkg/rule"
)

func TestNewSetConflicts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		first, second rule.Entry
		want          string // "" for no conflict
	}{
		{
			"the same account", entry("", teamA, "", ""), entry("", teamA, "", ""),
			"account " + teamA + ", any region, any repository",
		},
		{"other accounts", entry("", teamA, "", ""), entry("", teamB, "", ""), ""},
		{
			"one account in common", entry("", teamA+" "+teamB, "", ""), entry("", addOns+" "+teamB, "", ""),
			"account " + teamB + ", any region, any repository",
		},
		{"duplicate own", entry("", "own", "", ""), entry("", "own", "", ""), "account own, any region, any repository"},
		{"own and the same account's digits", entry("", "own", "", ""), entry("", own, "", ""), ""},
		{"own in both, digits in one", entry("", "own "+teamA, "", ""), entry("", "own", "", ""), "account own, any region, any repository"},
		{"duplicate star", entry("", "*", "", ""), entry("", "*", "", ""), `account "*", any region, any repository`},
		{
			"duplicate star with exceptions", entry("", "* !own", "", ""), entry("", "* !"+teamA, "", ""),
			`account "*", any region, any repository`,
		},
		{"star and digits", entry("", "*", "", ""), entry("", teamA, "", ""), ""},
		{"star and own", entry("", "*", "", ""), entry("", "own", "", ""), ""},

		{
			"the same region", entry("", teamA, "eu-west-1", ""), entry("", teamA, "eu-west-1", ""),
			"account " + teamA + ", region eu-west-1, any repository",
		},
		{"other regions", entry("", teamA, "eu-west-1", ""), entry("", teamA, "eu-west-2", ""), ""},
		{"exact region and pattern", entry("", teamA, "eu-west-1", ""), entry("", teamA, "eu-*", ""), ""},
		{"exact region and no region", entry("", teamA, "eu-west-1", ""), entry("", teamA, "", ""), ""},
		{"pattern and no region", entry("", teamA, "eu-*", ""), entry("", teamA, "", ""), ""},
		{"pattern for every region and no region", entry("", teamA, "*", ""), entry("", teamA, "", ""), ""},
		{"patterns without a common region", entry("", teamA, "eu-*", ""), entry("", teamA, "us-*", ""), ""},
		{
			"patterns that overlap", entry("", teamA, "us-*", ""), entry("", teamA, "*-1", ""),
			"account " + teamA + ", region us-*, any repository",
		},
		{
			"a pattern within another", entry("", teamA, "eu-w*", ""), entry("", teamA, "eu-*", ""),
			"account " + teamA + ", region eu-w*, any repository",
		},
		{
			"one pattern of several", entry("", teamA, "us-* ap-*", ""), entry("", teamA, "eu-* ap-south*", ""),
			"account " + teamA + ", region ap-*, any repository",
		},
		{
			"exact regions within the other entry's pattern",
			entry("", teamA, "us-east-1 eu-*", ""), entry("", teamA, "eu-west-1 us-*", ""), "",
		},
		{
			"the same exact region, and patterns without a common region",
			entry("", teamA, "us-east-1 eu-*", ""), entry("", teamA, "us-east-1 ap-*", ""),
			"account " + teamA + ", region us-east-1, any repository",
		},

		{
			"the same prefix", entry("", teamA, "", "team-a/"), entry("", teamA, "", "team-a/"),
			"account " + teamA + `, any region, repositories "team-a/"`,
		},
		{"other prefixes", entry("", teamA, "", "team-a/"), entry("", teamA, "", "team-b/"), ""},
		{"a longer prefix", entry("", teamA, "", "team-a/"), entry("", teamA, "", "team-a/app"), ""},
		{"prefix and no prefix", entry("", teamA, "", "team-a/"), entry("", teamA, "", ""), ""},
		{
			"one prefix of several", entry("", teamA, "", "a/ b/ c/"), entry("", teamA, "", "d/ c/"),
			"account " + teamA + `, any region, repositories "c/"`,
		},
		{
			"prefix and region", entry("", teamA, "eu-*", "team-a/"), entry("", teamA, "*-1", "team-a/"),
			"account " + teamA + `, region eu-*, repositories "team-a/"`,
		},
		{"the same prefix, other regions", entry("", teamA, "eu-*", "team-a/"), entry("", teamA, "us-*", "team-a/"), ""},
		{"the same region, other prefixes", entry("", teamA, "eu-*", "team-a/"), entry("", teamA, "eu-*", "team-b/"), ""},
		{"the same prefix in two accounts", entry("", teamA, "", "team/"), entry("", teamB, "", "team/"), ""},
		{"no accounts", entry("", "", "", ""), entry("", "", "", ""), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, conflicts := rule.NewSet([]rule.Entry{test.first, test.second})
			_, swapped := rule.NewSet([]rule.Entry{test.second, test.first})
			switch {
			case len(conflicts) != len(swapped):
				t.Errorf("got %+v, and %+v in the other order; want equally many", conflicts, swapped)
			case test.want == "" && len(conflicts) != 0:
				t.Errorf("got %+v, want no conflict", conflicts)
			case test.want != "" && (len(conflicts) != 1 || conflicts[0] != rule.Conflict{First: 0, Second: 1, What: test.want}):
				t.Errorf("got %+v, want %s", conflicts, test.want)
			}
		})
	}
}

// TestNewSetFindsAllConflicts: NewSet returns all conflicts at once, each with its
// indexes.
func TestNewSetFindsAllConflicts(t *testing.T) {
	t.Parallel()
	set, conflicts := rule.NewSet([]rule.Entry{
		entry("", teamA, "", ""), entry("", teamB, "", ""), entry("", teamA, "", ""), entry("", "*", "", ""),
		entry("", teamA+" "+teamB, "", ""),
	})
	want := [][2]int{{0, 2}, {0, 4}, {1, 4}, {2, 4}}
	if len(conflicts) != len(want) {
		t.Fatalf("got %+v, want %v", conflicts, want)
	}
	for i, c := range conflicts {
		if [2]int{c.First, c.Second} != want[i] {
			t.Errorf("conflict %d is between entries %d and %d, want %v", i, c.First, c.Second, want[i])
		}
	}
	if got := set.Match(newImage(t, teamA+"/eu-west-1/app"), account("")); got.Entry != nil {
		t.Errorf("a set with conflicts has the entry %+v, want none", got.Entry)
	}
}
