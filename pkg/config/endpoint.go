package config

import (
	"net"
	"net/url"
	"path/filepath"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// Endpoints are URLs of services by region, in place of AWS's own.
type Endpoints struct{ ECR, STS map[registry.Region]string }

// NodeSource is where the node's identity comes from, in place of the SDK's own
// choice; empty fields leave it.
type NodeSource struct{ Profile, ConfigFile string }

func (d *decoder) readEndpoints(v value) {
	v.fields(
		field{"ecr", func(v value) { d.config.Endpoints.ECR = v.endpoints() }},
		field{"sts", func(v value) { d.config.Endpoints.STS = v.endpoints() }},
	)
}

// endpoints reads URLs by region.
func (v value) endpoints() map[registry.Region]string {
	endpoints := map[registry.Region]string{}
	v.pairs(func(key string, v value) {
		region, err := registry.ParseRegion(key)
		_, twice := endpoints[region]
		switch text, ok := v.text(); {
		case err != nil:
			v.problem("%w", err)
		case twice:
			v.problem("is there twice")
		case ok && !isEndpoint(text):
			v.problem("is not an endpoint; want https://HOST without user and query (http on loopback only)") // it may hold a password
		default:
			endpoints[region] = text
		}
	})
	return endpoints
}

// isEndpoint tells a URL that credentials may be sent to.
func isEndpoint(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.ContainsAny(s, "?#") {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

func (d *decoder) readNode(v value) {
	v.fields(
		field{"profile", func(v value) { d.config.Node.Profile, _ = v.text() }},
		field{"configFile", func(v value) {
			path, ok := v.text()
			if ok && path != "" && !filepath.IsAbs(path) {
				v.problem("%q is not an absolute path", printable.Short(path))
			}
			d.config.Node.ConfigFile = path
		}},
	)
}
