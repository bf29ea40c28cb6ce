package rule_test

import (
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// These are the accounts of the tests.
const (
	teamA  = "444455556666"
	teamB  = "777788889999"
	addOns = "602401143452"
	own    = "111122223333"
	zeros  = "000000000012"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	const named = "account " + teamA + " is named"
	const wild = `"*" is for every account that no entry names`
	const noFit = ", but no entry for it fits the region and the repository"
	tests := []struct {
		name    string
		entries []rule.Entry
		image   string // account/region/repository
		own     string
		want    string // the entry's name, "" if none
		why     string
		perRepo bool
		onOwn   bool
	}{
		// Accounts.
		{
			name:  "no entries",
			image: teamA + "/eu-west-1/app",
			why:   "no entry is for account " + teamA,
		},
		{
			name:    "named",
			entries: []rule.Entry{entry("a", teamA, "", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "a", why: named,
		},
		{
			name:    "another one is named",
			entries: []rule.Entry{entry("a", teamA, "", "")},
			image:   teamB + "/eu-west-1/app",
			why:     "no entry is for account " + teamB,
		},
		{
			name:    "one of several",
			entries: []rule.Entry{entry("a", teamB+" "+teamA, "", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "a", why: named,
		},
		{
			name:    "leading zeros",
			entries: []rule.Entry{entry("a", zeros, "", ""), entry("b", "000000000120", "", "")},
			image:   zeros + "/eu-west-1/app",
			want:    "a", why: "account " + zeros + " is named",
		},
		{
			name:    "star",
			entries: []rule.Entry{entry("star", "*", "", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "star", why: wild,
		},
		{
			name:    "named before star",
			entries: []rule.Entry{entry("star", "*", "", ""), entry("a", teamA, "", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "a", why: named,
		},
		{
			name:    "star beside another named one",
			entries: []rule.Entry{entry("star", "*", "", ""), entry("a", teamA, "", "")},
			image:   teamB + "/eu-west-1/app",
			want:    "star", why: wild,
		},
		{
			name:    "named never falls to star for the region",
			entries: []rule.Entry{entry("star", "*", "", ""), entry("a", teamA, "us-*", "")},
			image:   teamA + "/eu-west-1/app",
			why:     named + noFit,
		},
		{
			name:    "named never falls to star for the repository",
			entries: []rule.Entry{entry("star", "*", "", ""), entry("a", teamA, "", "team-a/")},
			image:   teamA + "/eu-west-1/app",
			why:     named + noFit, perRepo: true,
		},
		{
			name:    "named never falls to a star that fits better",
			entries: []rule.Entry{entry("star", "*", "eu-west-1", "app"), entry("a", teamA, "", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "a", why: named,
		},
		{
			name:    "excepted",
			entries: []rule.Entry{entry("star", "* !"+addOns, "", "")},
			image:   addOns + "/eu-west-1/eks/coredns",
			why:     "account " + addOns + " is excepted by star",
		},
		{
			name:    "excepted, but named",
			entries: []rule.Entry{entry("star", "* !"+teamA, "", ""), entry("a", teamA, "", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "a", why: named,
		},
		{
			name: "excepted by one star, not by the other",
			entries: []rule.Entry{
				entry("us", "* !"+teamA, "us-*", ""),
				entry("eu", "*", "eu-*", ""),
			},
			image: teamA + "/eu-west-1/app",
			want:  "eu", why: wild + `, the region fits "eu-*"`,
		},
		{
			name:    "star of another region",
			entries: []rule.Entry{entry("star", "*", "us-*", "")},
			image:   teamA + "/eu-west-1/app",
			why:     wild + noFit,
		},

		// The node's own account.
		{
			name:    "own",
			entries: []rule.Entry{entry("own", "own", "", "")},
			image:   own + "/eu-west-1/app", own: own,
			want: "own", why: "account " + own + " is named", onOwn: true,
		},
		{
			name:    "not own",
			entries: []rule.Entry{entry("own", "own", "", "")},
			image:   teamA + "/eu-west-1/app", own: own,
			why: "no entry is for account " + teamA, onOwn: true,
		},
		{
			name:    "own without a known account",
			entries: []rule.Entry{entry("own", "own", "", "")},
			image:   own + "/eu-west-1/app",
			why:     "no entry is for account " + own, onOwn: true,
		},
		{
			name:    "own before star",
			entries: []rule.Entry{entry("star", "*", "", ""), entry("own", "own", "", "")},
			image:   own + "/eu-west-1/app", own: own,
			want: "own", why: "account " + own + " is named", onOwn: true,
		},
		{
			name:    "own never falls to star",
			entries: []rule.Entry{entry("star", "*", "", ""), entry("own", "own", "us-*", "")},
			image:   own + "/eu-west-1/app", own: own,
			why: "account " + own + " is named" + noFit, onOwn: true,
		},
		{
			name:    "own is of another region, and there is no star",
			entries: []rule.Entry{entry("own", "own", "us-*", "")},
			image:   teamA + "/eu-west-1/app", own: own,
			why: "no entry is for account " + teamA,
		},
		{
			name:    "own excepted by star",
			entries: []rule.Entry{entry("star", "* !own", "", "")},
			image:   own + "/eu-west-1/app", own: own,
			why: "account " + own + " is excepted by star", onOwn: true,
		},
		{
			name:    "another beside an excepted own",
			entries: []rule.Entry{entry("star", "* !own", "", "")},
			image:   teamA + "/eu-west-1/app", own: own,
			want: "star", why: wild, onOwn: true,
		},
		{
			name:    "own excepted by a star of another region",
			entries: []rule.Entry{entry("star", "* !own", "us-*", "")},
			image:   teamA + "/eu-west-1/app", own: own,
			why: wild + noFit,
		},
		{
			name:    "own excepted by star, and the account is named",
			entries: []rule.Entry{entry("star", "* !own", "", ""), entry("a", teamA, "", "")},
			image:   teamA + "/eu-west-1/app", own: own,
			want: "a", why: named,
		},
		{
			name:    "digits before own",
			entries: []rule.Entry{entry("own", "own", "", ""), entry("digits", own, "", "")},
			image:   own + "/eu-west-1/app", own: own,
			want: "digits", why: "account " + own + " is named", onOwn: true,
		},
		{
			name:    "own in an exact region before digits",
			entries: []rule.Entry{entry("own", "own", "eu-west-1", ""), entry("digits", own, "", "")},
			image:   own + "/eu-west-1/app", own: own,
			want: "own", why: "account " + own + ` is named, the region fits "eu-west-1"`, onOwn: true,
		},
		{
			name:    "own of a repository before digits",
			entries: []rule.Entry{entry("own", "own", "", "app"), entry("digits", own, "", "")},
			image:   own + "/eu-west-1/app", own: own,
			want: "own", why: "account " + own + ` is named, the repository starts with "app"`, perRepo: true, onOwn: true,
		},
		{
			name:    "own and digits in one entry count as digits",
			entries: []rule.Entry{entry("both", "own "+own, "", ""), entry("other", teamA, "", "")},
			image:   own + "/eu-west-1/app", own: own,
			want: "both", why: "account " + own + " is named", onOwn: true,
		},

		// Regions.
		{
			name:    "region by name",
			entries: []rule.Entry{entry("a", teamA, "us-east-1 eu-west-1", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "a", why: named + `, the region fits "eu-west-1"`,
		},
		{
			name: "exact region before pattern before none",
			entries: []rule.Entry{
				entry("none", teamA, "", ""), entry("pattern", teamA, "eu-*", ""), entry("exact", teamA, "eu-west-1", ""),
			},
			image: teamA + "/eu-west-1/app",
			want:  "exact", why: named + `, the region fits "eu-west-1"`,
		},
		{
			name: "pattern before none",
			entries: []rule.Entry{
				entry("none", teamA, "", ""), entry("pattern", teamA, "eu-*", ""), entry("exact", teamA, "eu-west-1", ""),
			},
			image: teamA + "/eu-west-2/app",
			want:  "pattern", why: named + `, the region fits "eu-*"`,
		},
		{
			name: "none is left",
			entries: []rule.Entry{
				entry("none", teamA, "", ""), entry("pattern", teamA, "eu-*", ""), entry("exact", teamA, "eu-west-1", ""),
			},
			image: teamA + "/us-east-1/app",
			want:  "none", why: named,
		},
		{
			name:    "exact and pattern in one entry",
			entries: []rule.Entry{entry("both", teamA, "eu-* eu-west-1", ""), entry("us", teamA, "us-*", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "both", why: named + `, the region fits "eu-west-1"`,
		},
		{
			name:    "a pattern for every region before none",
			entries: []rule.Entry{entry("none", teamA, "", ""), entry("pattern", teamA, "*", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "pattern", why: named + `, the region fits "*"`,
		},
		{
			name:    "exact region before pattern under star",
			entries: []rule.Entry{entry("pattern", "*", "eu-*", ""), entry("exact", "*", "eu-west-1", "")},
			image:   teamA + "/eu-west-1/app",
			want:    "exact", why: wild + `, the region fits "eu-west-1"`,
		},

		// Repositories.
		{
			name:    "repository",
			entries: []rule.Entry{entry("a", teamA, "", "team-a/ team-b/")},
			image:   teamA + "/eu-west-1/team-b/app",
			want:    "a", why: named + `, the repository starts with "team-b/"`, perRepo: true,
		},
		{
			name:    "a prefix is plain text",
			entries: []rule.Entry{entry("a", teamA, "", "team-a")},
			image:   teamA + "/eu-west-1/team-abc",
			want:    "a", why: named + `, the repository starts with "team-a"`, perRepo: true,
		},
		{
			name:    "a prefix stands at the start",
			entries: []rule.Entry{entry("a", teamA, "", "team-a/")},
			image:   teamA + "/eu-west-1/x/team-a/app",
			why:     named + noFit, perRepo: true,
		},
		{
			name:    "longer prefix",
			entries: []rule.Entry{entry("short", teamA, "", "team-a/"), entry("long", teamA, "", "team-a/app")},
			image:   teamA + "/eu-west-1/team-a/app",
			want:    "long", why: named + `, the repository starts with "team-a/app"`, perRepo: true,
		},
		{
			name:    "an entry's longest prefix counts",
			entries: []rule.Entry{entry("one", teamA, "", "t team-a/app"), entry("two", teamA, "", "team-a/")},
			image:   teamA + "/eu-west-1/team-a/app",
			want:    "one", why: named + `, the repository starts with "team-a/app"`, perRepo: true,
		},
		{
			name:    "an entry's longest prefix counts, even if it is not the last",
			entries: []rule.Entry{entry("one", teamA, "", "team-a/app t"), entry("two", teamA, "", "team-a/")},
			image:   teamA + "/eu-west-1/team-a/app",
			want:    "one", why: named + `, the repository starts with "team-a/app"`, perRepo: true,
		},
		{
			name:    "longer prefix before exact region",
			entries: []rule.Entry{entry("region", teamA, "eu-west-1", "team-a/"), entry("prefix", teamA, "", "team-a/app")},
			image:   teamA + "/eu-west-1/team-a/app",
			want:    "prefix", why: named + `, the repository starts with "team-a/app"`, perRepo: true,
		},
		{
			name:    "any prefix before exact region",
			entries: []rule.Entry{entry("region", teamA, "eu-west-1", ""), entry("prefix", teamA, "", "t")},
			image:   teamA + "/eu-west-1/team-a/app",
			want:    "prefix", why: named + `, the repository starts with "t"`, perRepo: true,
		},
		{
			name:    "same prefix, exact region",
			entries: []rule.Entry{entry("pattern", teamA, "eu-*", "team-a/"), entry("exact", teamA, "eu-west-1", "team-a/")},
			image:   teamA + "/eu-west-1/team-a/app",
			want:    "exact", why: named + `, the region fits "eu-west-1", the repository starts with "team-a/"`, perRepo: true,
		},
		{
			name:    "the repository's entry is of another region",
			entries: []rule.Entry{entry("none", teamA, "", ""), entry("us", teamA, "us-*", "team-a/")},
			image:   teamA + "/eu-west-1/team-a/app",
			want:    "none", why: named,
		},
		{
			name:    "another repository would be governed by another entry",
			entries: []rule.Entry{entry("none", teamA, "", ""), entry("team", teamA, "", "team-a/")},
			image:   teamA + "/eu-west-1/app",
			want:    "none", why: named, perRepo: true,
		},
		{
			name:    "another account's repositories do not matter",
			entries: []rule.Entry{entry("a", teamA, "", ""), entry("b", teamB, "", "team-b/"), entry("star", "*", "", "app")},
			image:   teamA + "/eu-west-1/app",
			want:    "a", why: named,
		},
		{
			name:    "repositories under star",
			entries: []rule.Entry{entry("star", "*", "", "shared/")},
			image:   teamA + "/eu-west-1/app",
			why:     wild + noFit, perRepo: true,
		},
		{
			name:    "another partition",
			entries: []rule.Entry{entry("cn", teamA, "cn-*", ""), entry("rest", teamA, "", "")},
			image:   teamA + "/cn-north-1/app",
			want:    "cn", why: named + `, the region fits "cn-*"`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set := newSet(t, test.entries...)
			image := newImage(t, test.image)
			got := set.Match(image, account(test.own))
			if name := entryName(got); name != test.want {
				t.Errorf("got entry %q, want %q", name, test.want)
			}
			if got.Why != test.why {
				t.Errorf("Why: got  %s\nwant %s", got.Why, test.why)
			}
			if got.PerRepository != test.perRepo {
				t.Errorf("PerRepository is %t, want %t", got.PerRepository, test.perRepo)
			}
			if onOwn := set.DependsOnOwn(image); onOwn != test.onOwn {
				t.Errorf("DependsOnOwn is %t, want %t", onOwn, test.onOwn)
			}
		})
	}
}

// entry returns an entry from short texts, with items separated by spaces. An account
// is digits, own or *. A "!" before an account excepts it from *.
func entry(name, accounts, regions, repositories string) rule.Entry {
	e := rule.Entry{Name: name, Repositories: strings.Fields(repositories)}
	for _, a := range strings.Fields(accounts) {
		switch excepted, isExcept := strings.CutPrefix(a, "!"); {
		case a == "own":
			e.Accounts.Own = true
		case a == "*":
			e.Accounts.All = true
		case a == "!own":
			e.Accounts.ExceptOwn = true
		case isExcept:
			e.Accounts.Except = append(e.Accounts.Except, account(excepted))
		default:
			e.Accounts.Named = append(e.Accounts.Named, account(a))
		}
	}
	for _, r := range strings.Fields(regions) {
		p, err := registry.ParseRegionPattern(r)
		if err != nil {
			panic(err)
		}
		e.Regions = append(e.Regions, p)
	}
	return e
}

// account returns an account of the tests, or none for "".
func account(digits string) registry.Account {
	a, err := registry.ParseAccount(digits)
	if err != nil && digits != "" {
		panic(err)
	}
	return a
}

func newSet(t *testing.T, entries ...rule.Entry) rule.Set {
	t.Helper()
	set, conflicts := rule.NewSet(entries)
	if len(conflicts) > 0 {
		t.Fatalf("got conflicts %+v, want none", conflicts)
	}
	return set
}

// newImage parses account/region/repository.
func newImage(t *testing.T, s string) registry.Image {
	t.Helper()
	parts := strings.SplitN(s, "/", 3)
	name := parts[0] + ".dkr.ecr." + parts[1] + ".amazonaws.com"
	if strings.HasPrefix(parts[1], "cn-") {
		name += ".cn"
	}
	image, ok := registry.Parse(name + "/" + parts[2])
	if !ok {
		t.Fatalf("%s: %v", name, registry.WhyNotECR(name+"/"+parts[2]))
	}
	return image
}

func entryName(d rule.Decision) string {
	if d.Entry == nil {
		return ""
	}
	return d.Entry.Name
}
