package providerconfig

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// Matches reports whether the kubelet asks the provider for an image. The image is
// named as in the kubelet: with its host, without tag and digest.
func (p Provider) Matches(image string) bool {
	return slices.ContainsFunc(p.MatchImages, func(pattern string) bool { return match(pattern, image) })
}

// match compares like the kubelet (URLsMatchStr): the host label by label, the port
// as text, and the path by prefix. A star matches within one label only.
func match(pattern, image string) bool {
	glob, err := parse(pattern)
	if err != nil {
		return false
	}
	target, err := parse(image)
	if err != nil {
		return false
	}
	globs, labels := strings.Split(glob.Hostname(), "."), strings.Split(target.Hostname(), ".")
	if len(globs) != len(labels) || glob.Port() != target.Port() || !strings.HasPrefix(target.Path, glob.Path) {
		return false
	}
	for i := range globs {
		if ok, err := path.Match(globs[i], labels[i]); !ok || err != nil {
			return false
		}
	}
	return true
}

// parse parses a URL without a scheme.
func parse(s string) (*url.URL, error) { return url.Parse("https://" + s) }

// Annotations returns the annotations that the kubelet passes to the provider.
func (t TokenAttributes) Annotations() []string {
	return slices.Concat(t.RequiredAnnotations, t.OptionalAnnotations)
}

// InOrder returns the providers that the kubelet asks for an image, in the
// kubelet's order.
func (c Config) InOrder(image string, v Version) []Provider {
	var all []Provider
	for _, p := range c.Providers {
		if p.Matches(image) {
			all = append(all, p)
		}
	}
	if v.ByName() {
		slices.SortStableFunc(all, func(a, b Provider) int { return strings.Compare(a.Name, b.Name) })
	}
	return all
}
