package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/pkg/spelling"
)

// settings sets everything that is not an entry.
func (r *report) settings(c *Config, doc *Document) {
	c.Unmatched = rule.Entry{Name: "unmatched: Node"}
	c.UnmatchedNone = doc.Unmatched == "None"
	c.Mirrors = r.mirrors(doc.Mirrors)
	c.STSRegion = r.stsRegion("sts.region", doc.STS.Region)
	c.Endpoints = Endpoints{r.endpoints(doc.Endpoints.ECR), r.endpoints(doc.Endpoints.STS)}
	c.Node = NodeSource{doc.Node.Profile, r.absolute("node.configFile", doc.Node.ConfigFile, "")}
	c.Deadline = r.deadline("deadline", doc.Deadline)
	c.Cache = Cache{
		Named:     r.has("cache.directory"),
		Directory: r.absolute("cache.directory", doc.Cache.Directory, `; remove it for the default, or write "" for no cache`),
	}
	c.Log = r.log("log.destination", doc.Log.Destination)
}

// mirrors returns the mirrors. Each host may have only one.
func (r *report) mirrors(docs []Mirror) (mirrors []registry.Mirror) {
	for i, doc := range docs {
		path := fmt.Sprintf("mirrors[%d]", i)
		if r.bad[path] {
			continue
		}
		if !r.check(path+".host", registry.CheckMirrorHost(doc.Host)) {
			continue
		}
		mirror, err := registry.NewMirror(doc.Host, doc.Registry)
		if !r.check(path+".registry", err) {
			continue
		}
		if slices.ContainsFunc(mirrors, func(m registry.Mirror) bool { return m.Host() == doc.Host }) {
			r.problem(path+".host", "duplicate %q", doc.Host)
		}
		mirrors = append(mirrors, mirror)
	}
	return mirrors
}

func (r *report) stsRegion(path, text string) (s STSRegion) {
	switch text {
	case "Node":
	case "Registry":
		s.OfRegistry = true
	default:
		var err error
		if s.Fixed, err = registry.ParseRegion(text); err != nil {
			r.problem(path, "%q is not Node, Registry or a region's name such as eu-west-1", printable.Short(text))
		}
	}
	return s
}

func (r *report) deadline(path, text string) time.Duration {
	deadline, err := parseDuration(text)
	if r.check(path, err) && (deadline < MinDeadline || deadline > MaxDeadline) {
		r.problem(path, "%s is not between %s and %s; the kubelet ends the program after 60s", deadline, MinDeadline, MaxDeadline)
	}
	return deadline
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; want one such as 20s, 15m or 1h", printable.Short(s))
	}
	return d, nil
}

// absolute returns file. It adds a problem if file is neither absolute nor empty.
func (r *report) absolute(path, file, hint string) string {
	if file != "" && !filepath.IsAbs(file) {
		r.problem(path, "%q is not an absolute path%s", printable.Short(file), hint)
	}
	return file
}

func (r *report) log(path, text string) Log {
	words := []string{"Journal", "Stderr", "None"}
	switch i := slices.Index(words, text); {
	case i >= 0:
		return Log{Destination: Destination(i)}
	case filepath.IsAbs(text):
		return Log{Destination: ToFile, File: text}
	default:
		r.problem(path, "%q is not Journal, Stderr, None or the absolute path of a file%s", printable.Short(text), spelling.DidYouMean(text, words))
	}
	return Log{}
}

// endpoints returns URLs by region.
func (r *report) endpoints(pairs Pairs) map[registry.Region]string {
	endpoints := map[registry.Region]string{}
	for _, p := range pairs {
		region, err := registry.ParseRegion(p.Key)
		switch {
		case !r.check(p.Path, err) || r.bad[p.Path]:
		case !isEndpoint(p.Value):
			r.problem(p.Path, "is not an endpoint; want https://HOST without user and query (http on loopback only)") // no quote: the value can hold a password
		default:
			endpoints[region] = p.Value
		}
	}
	return endpoints
}

// isEndpoint reports whether a text is a URL to which credentials may be sent.
func isEndpoint(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.ContainsAny(s, "?#") {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}
