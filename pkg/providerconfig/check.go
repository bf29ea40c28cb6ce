package providerconfig

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// check returns the problems that make a kubelet refuse the providers.
func (c Config) check(v Version) (problems []error) {
	seen := map[string]string{}
	for i, p := range c.Providers {
		report := func(format string, args ...any) {
			where := fmt.Sprintf("%s: providers[%d]: ", p.file, c.indexInFile(i))
			problems = append(problems, fmt.Errorf(where+format, args...))
		}
		p.checkNames(report)
		p.checkTokenAttributes(v, report)
		if file, ok := seen[p.Name]; ok {
			report("the name %q is a duplicate of one in %s", p.Name, file)
		}
		seen[p.Name] = p.file
	}
	if len(c.Providers) == 0 {
		problems = append(problems, fmt.Errorf("%s: providers: at least 1 is required", strings.Join(c.Files, ", ")))
	}
	return problems
}

// indexInFile returns a provider's index in its own file.
func (c Config) indexInFile(i int) int {
	return i - slices.IndexFunc(c.Providers, func(p Provider) bool { return p.file == c.Providers[i].file })
}

type reporter func(format string, args ...any)

var requestVersions = []string{"v1", "v1beta1", "v1alpha1"}

// checkNames checks the required fields.
func (p Provider) checkNames(report reporter) {
	switch {
	case p.Name == "":
		report("name is required")
	case strings.ContainsAny(p.Name, "/ ") || p.Name == "." || p.Name == "..":
		report("name %q is not the name of a file", p.Name)
	}
	if len(p.MatchImages) == 0 {
		report("matchImages: at least 1 item is required")
	}
	for _, pattern := range p.MatchImages {
		if _, err := parse(pattern); err != nil {
			report("matchImages: %q is not valid; want a URL without its scheme", pattern)
		}
	}
	group, version, _ := strings.Cut(p.APIVersion, "/")
	if group != "credentialprovider.kubelet.k8s.io" || !slices.Contains(requestVersions, version) {
		report("apiVersion %q; want credentialprovider.kubelet.k8s.io/v1", p.APIVersion)
	}
	if p.DefaultCacheDuration == nil {
		report("defaultCacheDuration is required")
	} else if d, err := time.ParseDuration(*p.DefaultCacheDuration); err != nil || d < 0 {
		report("defaultCacheDuration %q is not a duration such as 12h or 0s", *p.DefaultCacheDuration)
	}
}

// checkTokenAttributes checks tokenAttributes by the rules of the version.
func (p Provider) checkTokenAttributes(v Version, report reporter) {
	t := p.TokenAttributes
	if t == nil || !v.atLeast(32) { // older kubelets ignore the field
		return
	}
	switch {
	case !v.atLeast(33):
		report("tokenAttributes is an unknown field before kubelet 1.33")
		return
	case t.CacheType != nil && !v.atLeast(34):
		report("tokenAttributes.cacheType is an unknown field before kubelet 1.34")
	case t.CacheType == nil && v.atLeast(34):
		report("tokenAttributes.cacheType is required; want ServiceAccount or Token")
	case t.CacheType != nil && *t.CacheType != "ServiceAccount" && *t.CacheType != "Token":
		report("tokenAttributes.cacheType %q; want ServiceAccount or Token", *t.CacheType)
	}
	if t.Audience == "" {
		report("tokenAttributes.serviceAccountTokenAudience is required")
	}
	switch {
	case t.RequireServiceAccount == nil:
		report("tokenAttributes.requireServiceAccount is required")
	case !*t.RequireServiceAccount && len(t.RequiredAnnotations) > 0:
		report("tokenAttributes.requiredServiceAccountAnnotationKeys needs requireServiceAccount: true")
	}
	if !strings.HasSuffix(p.APIVersion, "/v1") {
		report("tokenAttributes needs apiVersion credentialprovider.kubelet.k8s.io/v1")
	}
	keys := t.Annotations()
	slices.Sort(keys)
	for i, key := range keys {
		switch {
		case !isAnnotation(key):
			report("tokenAttributes: %q is not an annotation; want one such as eks.amazonaws.com/ecr-role-arn", key)
		case i > 0 && key == keys[i-1]:
			report("tokenAttributes: duplicate annotation %s", key)
		}
	}
}

// isAnnotation reports whether Kubernetes accepts an annotation's key: an optional
// domain name and a slash, and a name of up to 63 characters.
func isAnnotation(key string) bool {
	domain, name, ok := strings.Cut(strings.ToLower(key), "/")
	if !ok {
		domain, name = "", domain
	}
	if ok && (domain == "" || len(domain) > 253 || slices.ContainsFunc(strings.Split(domain, "."), func(label string) bool { return !isWord(label, "-") })) {
		return false
	}
	return len(name) <= 63 && isWord(name, "-_.")
}

// isWord reports whether a string has only lower-case letters and digits. Between them,
// it may also have the other characters.
func isWord(s, others string) bool {
	const alphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789"
	return s != "" && strings.Trim(s, others) == s && strings.Trim(s, alphanumeric+others) == ""
}
