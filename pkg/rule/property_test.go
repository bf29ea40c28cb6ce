package rule_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// These are the values of random sets. They are few, so that entries often overlap.
var (
	someAccounts = []string{teamA, own, "own", "*", "* !own", "* !" + teamA, teamA + " own", "* !own !" + teamB}
	someRegions  = []string{"", "", "us-east-1", "us-*", "eu-*", "eu-west-1 us-*", "eu-*-1", "*"}
	someRepos    = []string{"", "", "", "team-a/", "team-a/app", "t", "team-b/ team-a/", "app"}
)

// TestMatchOfRandomSets: the governing entry does not depend on the order of entries,
// and it is the entry that the model finds. own matters only if DependsOnOwn returns
// true.
func TestMatchOfRandomSets(t *testing.T) {
	t.Parallel()
	images := allImages(t)
	accepted := 0
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		entries := randomEntries(random)
		set, conflicts := rule.NewSet(entries)
		shuffled := append([]rule.Entry(nil), entries...)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		other, otherConflicts := rule.NewSet(shuffled)
		if len(conflicts) != len(otherConflicts) {
			t.Fatalf("seed %d: got %d conflicts, and %d in another order", seed, len(conflicts), len(otherConflicts))
		}
		if len(conflicts) > 0 {
			continue
		}
		accepted++
		for _, image := range images {
			checkMatch(t, seed, entries, set, other, images, image)
		}
	}
	if accepted < 100 {
		t.Errorf("only %d sets had no conflicts; want at least 100, so that the test proves something", accepted)
	}
}

func checkMatch(t *testing.T, seed uint64, entries []rule.Entry, set, other rule.Set, images []registry.Image, image registry.Image) {
	t.Helper()
	unknown := set.Match(image, registry.Account{})
	for _, node := range []registry.Account{account(own), account(teamA), account(teamB)} {
		got := set.Match(image, node)
		again := other.Match(image, node)
		if entryName(got) != entryName(again) || got.PerRepository != again.PerRepository {
			t.Errorf("seed %d: %s from %s: got entry %q, and %q in another order", seed, image, node, entryName(got), entryName(again))
		}
		if want := model(entries, image, node); entryName(got) != want {
			t.Errorf("seed %d: %s from %s: got entry %q, want %q", seed, image, node, entryName(got), want)
		}
		if !set.DependsOnOwn(image) && (entryName(got) != entryName(unknown) || got.PerRepository != unknown.PerRepository) {
			t.Errorf("seed %d: %s from %s: got entry %q, and %q if own is not known; want the same, because DependsOnOwn is false",
				seed, image, node, entryName(got), entryName(unknown))
		}
		if !got.PerRepository {
			checkWholeRegistry(t, seed, set, images, image, node)
		}
	}
}

// checkWholeRegistry checks that the same entry governs every other repository of the
// image's registry.
func checkWholeRegistry(t *testing.T, seed uint64, set rule.Set, images []registry.Image, image registry.Image, node registry.Account) {
	t.Helper()
	want := entryName(set.Match(image, node))
	for _, other := range images {
		if other.Registry() == image.Registry() && entryName(set.Match(other, node)) != want {
			t.Errorf("seed %d: different entries govern %s and %s, but PerRepository is false", seed, image, other)
		}
	}
}

// model implements the documented precedence in another form than the code: every entry
// gets a number, and the greatest wins.
func model(entries []rule.Entry, image registry.Image, node registry.Account) string {
	reg := image.Registry()
	isNamed := func(a rule.Accounts) (score int) {
		for _, n := range a.Named {
			if n == reg.Account() {
				return 2
			}
		}
		if a.Own && node == reg.Account() {
			return 1
		}
		return 0
	}
	anyNamed := false
	for _, e := range entries {
		anyNamed = anyNamed || isNamed(e.Accounts) > 0
	}
	winner, most := "", -1
	for _, e := range entries {
		accountScore := isNamed(e.Accounts)
		if accountScore == 0 && (anyNamed || !e.Accounts.All || excepts(e.Accounts, reg.Account(), node)) {
			continue
		}
		prefixScore, regionScore := prefixScore(e, image.Repository()), regionScore(e, reg.Region())
		if prefixScore < 0 || regionScore < 0 {
			continue
		}
		if score := prefixScore*100 + regionScore*10 + accountScore; score > most {
			winner, most = e.Name, score
		}
	}
	return winner
}

func excepts(a rule.Accounts, of, node registry.Account) bool {
	for _, excepted := range a.Except {
		if excepted == of {
			return true
		}
	}
	return a.ExceptOwn && of == node
}

func prefixScore(e rule.Entry, repository string) int {
	if len(e.Repositories) == 0 {
		return 0
	}
	score := -1
	for _, prefix := range e.Repositories {
		if strings.HasPrefix(repository, prefix) {
			score = max(score, len(prefix))
		}
	}
	return score
}

func regionScore(e rule.Entry, region registry.Region) int {
	if len(e.Regions) == 0 {
		return 0
	}
	score := -1
	for _, p := range e.Regions {
		switch {
		case p.String() == region.String():
			score = 2
		case p.Match(region):
			score = max(score, 1)
		}
	}
	return score
}

func randomEntries(random *rand.Rand) []rule.Entry {
	entries := make([]rule.Entry, 1+random.IntN(4))
	for i := range entries {
		entries[i] = entry(strconv.Itoa(i), pick(random, someAccounts), pick(random, someRegions), pick(random, someRepos))
	}
	return entries
}

func pick(random *rand.Rand, from []string) string { return from[random.IntN(len(from))] }

func allImages(t *testing.T) []registry.Image {
	t.Helper()
	var images []registry.Image
	for _, a := range []string{teamA, own} {
		for _, r := range []string{"us-east-1", "eu-west-1", "eu-west-2", "cn-north-1"} {
			for _, repository := range []string{"app", "team-a/app", "team-b/x", "tool"} {
				images = append(images, newImage(t, a+"/"+r+"/"+repository))
			}
		}
	}
	return images
}
