package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// way is how a registry's token is come by, as far as it is known without asking
// anybody: who starts, and which entry's roles follow.
type way struct {
	registry registry.Registry
	entry    *rule.Entry
	// source is the service account that starts; nil is the node.
	source *source
	// direct says that no roles follow: the node stands in for a service account.
	direct bool
}

// source is a service account and the role that it may start with.
type source struct {
	role   string
	token  string
	claims identity.Claims
}

// wayTo finds the way by an entry. The entry's own checks come first of all: what
// they refuse reaches neither cache nor AWS.
func (p *Provider) wayTo(reg registry.Registry, entry *rule.Entry, pod kubelet.ServiceAccount) (way, error) {
	w := way{registry: reg, entry: entry}
	if entry.ServiceAccount != nil {
		var err error
		if w.source, err = startOf(*entry.ServiceAccount, reg, pod); err != nil {
			return way{}, err
		}
		w.direct = w.source == nil
	}
	if w.direct && pod.Token() == "" && entry.ServiceAccount.AnyRole && entry.ServiceAccount.RoleARN != nil {
		p.Warn("$" + config.StockRoleVariable + " is set, but the request has no service account token; using the node's own identity")
	}
	_, err := w.roles(func() string { return "node" })
	return w, err
}

// startOf is the service account that starts a way; none says that the node
// stands in for it.
func startOf(account rule.ServiceAccount, reg registry.Registry, pod kubelet.ServiceAccount) (*source, error) {
	role, err := startRole(account, reg, pod)
	if err != nil || role == "" {
		return nil, err
	}
	claims, err := identity.ReadClaims(pod.Token())
	return &source{role, pod.Token(), claims}, err
}

// startRole is the role that a pod's service account starts with; none says that
// the node stands in.
func startRole(account rule.ServiceAccount, reg registry.Registry, pod kubelet.ServiceAccount) (string, error) {
	if pod.Token() == "" {
		if account.NodeWhenNoToken {
			return "", nil
		}
		return "", errors.New("the request has no service account token; set tokenAttributes in the kubelet's CredentialProviderConfig, or whenNoToken: Node")
	}
	role, err := account.Role(reg, pod.Annotations)
	switch {
	case !errors.Is(err, rule.ErrNoRole):
		return role, err
	case account.NodeWhenNoRole:
		return "", nil
	}
	return "", fmt.Errorf("the service account has no annotation %s, or the kubelet does not pass it on (tokenAttributes), and roleARN is not set; set one of them, or whenNoRole: Node",
		account.RoleAnnotation)
}

// roles are those that follow the start, resolved.
func (w way) roles(node func() string) ([]rule.Role, error) {
	facts := rule.Facts{Node: node}
	if w.source != nil {
		facts.Namespace, facts.ServiceAccount = w.source.claims.Namespace, w.source.claims.ServiceAccount
	}
	if w.direct {
		return nil, nil
	}
	roles := make([]rule.Role, len(w.entry.Roles))
	for i, template := range w.entry.Roles {
		role, err := template.For(w.registry, w.entry.Repositories, facts)
		if err != nil {
			return nil, fmt.Errorf("assuming the roles of %s for registry %s: %w", w.entry.Name, w.registry, err)
		}
		roles[i] = role
	}
	return roles, nil
}

// request is what the cache knows the way by. Its key holds all that decides who
// gets the token: the source, every field of every role, where they are asked,
// and the API that mints it. A token is good for all registries of a region that
// its owner may pull from, so the registry's account is not part of it, but where
// it is in a role: an image's name must not fill the cache with the same token
// again and again. The node's name is left as it is written: a cache is one
// node's, and a warm answer asks nobody for it.
func (w way) request(p *Provider) cache.Request {
	api := fmt.Sprintf("%s fips=%t dualstack=%t", w.registry.Region(), w.registry.FIPS(), w.registry.DualStack())
	parts := append([]string{"token", api}, p.source()...)
	identity := "the node"
	if w.source != nil {
		c := w.source.claims
		identity = w.source.role
		parts = append(parts, "service account", w.source.role, c.Issuer, c.Subject, c.UID)
		parts = append(parts, c.Audience...)
	}
	roles, _ := w.roles(func() string { return "{node}" }) // seen to be right by wayTo
	for _, role := range roles {
		identity = role.ARN
	}
	resolved, _ := json.Marshal(struct { // of texts and numbers
		Roles           []rule.Role
		NodeWhenRefused bool
		STSRegion       string
		OfRegistry      bool
	}{roles, w.entry.NodeWhenRefused, p.Config.STSRegion.Fixed.String(), p.Config.STSRegion.OfRegistry})
	return cache.Request{
		Key:      cache.NewKey(append(parts, string(resolved))...),
		Registry: w.registry.Host(),
		Identity: identity,
	}
}

func (p *Provider) publicRequest(reg registry.Registry) cache.Request {
	return cache.Request{
		Key:      cache.NewKey(append([]string{"public", reg.Host()}, p.source()...)...),
		Registry: reg.Host(),
		Identity: "the node",
	}
}

// source is all that selects the node's identity and the endpoints: every AWS_
// variable of the environment, where the SDK's files are, and the configuration.
func (p *Provider) source() []string {
	parts := []string{"profile", p.Config.Node.Profile, p.Config.Node.ConfigFile}
	for _, variable := range p.Environment {
		if strings.HasPrefix(variable, "AWS_") || strings.HasPrefix(variable, "HOME=") || strings.HasPrefix(variable, "USERPROFILE=") {
			parts = append(parts, variable)
		}
	}
	slices.Sort(parts[3:])
	parts = append(parts, p.configFile())
	return append(parts, endpoints("ecr", p.Config.Endpoints.ECR), endpoints("sts", p.Config.Endpoints.STS))
}

// configFile is the content of the SDK's configuration file, which says what a
// profile is. The file of credentials is left out: they are rotated all the time,
// for the same identity.
func (p *Provider) configFile() string {
	file, home := p.Config.Node.ConfigFile, ""
	for _, variable := range p.Environment {
		name, value, _ := strings.Cut(variable, "=")
		switch {
		case name == "AWS_CONFIG_FILE" && file == "":
			file = value
		case name == "HOME" && value != "":
			home = value
		}
	}
	if file == "" && home != "" {
		file = filepath.Join(home, ".aws", "config")
	}
	content, _ := os.ReadFile(file) //nolint:gosec // the operator's own file; without one there is no profile
	return string(content)
}

// endpoints is a service's named endpoints in one text, always the same.
func endpoints(service string, urls map[registry.Region]string) string {
	lines := make([]string, 0, len(urls))
	for region, url := range urls {
		lines = append(lines, region.String()+" "+url)
	}
	slices.Sort(lines)
	return service + "\n" + strings.Join(lines, "\n")
}
