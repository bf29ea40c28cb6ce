package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// checkTokens checks whether the kubelet passes on the tokens and annotations that
// entries for service accounts need.
func (e *examination) checkTokens(ctx context.Context, images []string) {
	needs := []*diagnosis.Check{e.kubelet.found, e.kubelet.read, e.kubelet.entered}
	e.do(ctx, &diagnosis.Check{Kind: tokenSettings, Needs: needs, Run: e.unlessUnread(func() diagnosis.Finding {
		entries := e.serviceAccountEntries(images)
		if len(entries) == 0 && e.Pod == nil {
			return diagnosis.Fine("no entry here needs service accounts")
		}
		return e.tokensFor(entries)
	})})
}

// serviceAccountEntries returns the entries whose chain only a pod's token can start:
// those that may govern one of the images, or all of them if there are no images.
func (e *examination) serviceAccountEntries(images []string) (found []rule.Entry) {
	for _, entry := range e.config.Rules.Entries() {
		governs := len(images) == 0 || slices.ContainsFunc(images, func(name string) bool { return e.mayGovern(entry, name) })
		if governs && startsWithPod(&entry) {
			found = append(found, entry)
		}
	}
	return found
}

// mayGovern reports whether the entry governs the image. If that depends on the node's
// own account, which is not known here, each entry for the image's account counts.
func (e *examination) mayGovern(entry rule.Entry, name string) bool {
	image, err := e.config.Image(name)
	if err != nil || image.Registry().Public() {
		return false
	}
	if e.config.Rules.DependsOnOwn(image) {
		return slices.Contains(entry.Accounts.Named, image.Registry().Account()) || entry.Accounts.Own || entry.Accounts.All
	}
	governs := e.governing(name)
	return governs != nil && governs.Name == entry.Name
}

// governing returns the entry that governs the image. It returns nil if there is none, or
// if that depends on the node's own account, which is not known here.
func (e *examination) governing(name string) *rule.Entry {
	image, err := e.config.Image(name)
	if err != nil || image.Registry().Public() || e.config.Rules.DependsOnOwn(image) {
		return nil
	}
	return e.config.Rules.Match(image, registry.Account{}).Entry
}

func (e *examination) tokensFor(entries []rule.Entry) diagnosis.Finding {
	var needing []string
	for _, entry := range entries {
		needing = append(needing, entry.Name)
	}
	if e.Pod != nil {
		needing = append(needing, "--as-service-account")
	}
	t := e.tokenAttributes()
	if t == nil {
		return diagnosis.Fail(diagnosis.Node, "no provider of this plugin has tokenAttributes; they are needed for "+strings.Join(needing, " and "),
			"add tokenAttributes to the plugin's entry (kubelet 1.34 and later), and restart the kubelet")
	}
	for _, entry := range entries {
		key := entry.ServiceAccount.RoleAnnotation
		if entry.ServiceAccount.RoleARN == nil && !slices.Contains(t, key) {
			return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("the kubelet does not pass on the annotation %s, which %s needs", key, entry.Name),
				"add it to optionalServiceAccountAnnotationKeys of the plugin's tokenAttributes, and restart the kubelet")
		}
	}
	if e.Pod != nil {
		for key := range e.Pod.Annotations {
			if !slices.Contains(t, key) {
				return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("the kubelet does not pass on the annotation %s of --annotation", key),
					"add it to optionalServiceAccountAnnotationKeys of the plugin's tokenAttributes, or leave it out here")
			}
		}
	}
	return diagnosis.Fine("the kubelet passes on " + strings.Join(append([]string{"the token"}, t...), ", "))
}

// tokenAttributes returns the annotations that a provider of this plugin gets. It
// returns nil if no provider gets a token.
func (e *examination) tokenAttributes() []string {
	for _, p := range e.kubelet.plugins {
		if p.TokenAttributes != nil {
			return append([]string{}, p.TokenAttributes.Annotations()...)
		}
	}
	return nil
}
