//go:build linux

package iam_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestSufficientAndMinimal: with the documents, every image can be pulled. If one part
// is missing, some image cannot be pulled, or a stranger can pull one.
func TestSufficientAndMinimal(t *testing.T) {
	t.Parallel()
	for _, e := range examples {
		t.Run(e.name(), func(t *testing.T) {
			t.Parallel()
			n := newNode(t, e, stranger{})
			documents := e.documents(t, n.config)
			apply(n.world, documents)
			n.permitEverything(e, stranger{})
			n.pullsAll(t, e, 100_000)
			tried := map[string]bool{}
			for i, c := range changes(documents) {
				if c.condition != "" {
					e.admitsStranger(t, documents, c, tried)
				} else {
					n.fails(t, e, c, i)
				}
			}
			apply(n.world, documents) // proves that only the changes caused the failures
			n.permitEverything(e, stranger{})
			n.pullsAll(t, e, 200_000)
			for key := range e.strangers {
				if !tried[key] {
					t.Errorf("no document has a condition on %s", key)
				}
			}
		})
	}
}

func (n *node) pullsAll(t *testing.T, e example, attempt int) {
	t.Helper()
	for _, p := range e.pulls {
		if err := n.pull(p, attempt); err != nil {
			t.Fatalf("%s: %v", p.image, err)
		}
	}
}

// permissive returns a role that has every permission and that everybody may assume.
func permissive(arn string) fakeaws.Role {
	return fakeaws.Role{
		ARN: arn, Trust: []fakeaws.Trust{{Principal: fakeaws.Everybody, TagSession: true}},
		Policies: map[string]string{"all": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`},
	}
}

// permitEverything gives the node's role every permission, if the documents cover only
// the images' side. It also removes all else that would refuse a stranger's pull.
func (n *node) permitEverything(e example, s stranger) {
	if len(e.nodeRoles) > 0 {
		n.world.SetRole(permissive(cmp.Or(s.nodeRole, nodeRole)))
	}
	if s.trusting != "" {
		n.world.SetRole(permissive(s.trusting))
	}
	if s.audience != "" { // the provider accepts this audience because of another role
		n.world.SetProvider("444455556666", issuerURL, fakeaws.Audience, s.audience)
	}
}

// fails checks that a change makes some pull fail.
func (n *node) fails(t *testing.T, e example, c change, attempt int) {
	t.Helper()
	apply(n.world, c.items)
	if strings.Contains(c.what, "oidc-provider") {
		n.world.SetProvider(strings.Fields(c.what)[0], issuerURL) // without audiences
	}
	n.permitEverything(e, stranger{})
	if !slices.ContainsFunc(e.pulls, func(p pull) bool { return n.pull(p, attempt) != nil }) {
		t.Errorf("every image can be pulled without %s", c.what)
	}
}

// admitsStranger checks that the documents exclude a stranger, and that they admit the
// stranger if the condition is removed.
func (e example) admitsStranger(t *testing.T, documents []item, c change, tried map[string]bool) {
	t.Helper()
	key, s, ok := e.stranger(c.condition)
	if !ok {
		if !strings.Contains(c.condition, " ") { // for a single removed value, the example need not have a stranger
			t.Errorf("no stranger for %s", c.what)
		}
		return
	}
	tried[key] = true
	n := newNode(t, e, s)
	prepare := func(items []item) {
		apply(n.world, items)
		n.permitEverything(e, s)
	}
	prepare(documents)
	if err := n.pull(s.pull, -1); err == nil {
		t.Errorf("the documents admit the stranger for %s", key)
	}
	prepare(c.items)
	if err := n.pull(s.pull, -2); err != nil {
		t.Errorf("without %s, the stranger for %s is still excluded: %v", c.what, key, err)
	}
}
