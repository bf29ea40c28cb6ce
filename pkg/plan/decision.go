package plan

import (
	"errors"
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Decision is what the configuration decides for an image.
type Decision struct {
	// Entry governs the image. It is nil if the configuration leaves the image to
	// other providers.
	Entry *rule.Entry
	// Why says in words why this entry governs, or why none does.
	Why string
	// PerRepository reports whether other repositories of the registry may have
	// another plan.
	PerRepository bool
	// Plan is set if Entry is.
	Plan Plan
	// Warning is a warning for operators about the decision. It is usually empty.
	Warning string
}

// Scope says whether a response is valid for the image or for its whole registry.
func (d Decision) Scope() kubelet.Scope {
	if d.PerRepository {
		return kubelet.ForImage
	}
	return kubelet.ForRegistry
}

// ScopeNotECR returns the scope of the response for an image that is not in ECR. If the
// image is of a mirror's host, the host's other images may be in ECR.
func ScopeNotECR(c config.Config, image string) kubelet.Scope {
	if c.Mirrored(image) {
		return kubelet.ForImage
	}
	return kubelet.ForRegistry
}

// AuthKey returns the key under which the kubelet finds the credentials. It is the
// registry as the image names it, or the whole repository if repositories decide.
func (d Decision) AuthKey(image registry.Image) string {
	if d.PerRepository {
		return image.Server() + "/" + AuthPath(image.Path())
	}
	return image.Server()
}

// AuthPath returns the path of an auth key that stands for a path of image names. A
// kubelet removes v1/ or v2/ from the start of a key's path, because keys were once
// URLs of a registry's API (k8s.io/kubernetes/pkg/credentialprovider/keyring.go). Such a
// path gets another v2/ in front.
func AuthPath(path string) string {
	if strings.HasPrefix(path, "v1/") || strings.HasPrefix(path, "v2/") {
		return "v2/" + path
	}
	return path
}

// publicEntry governs ECR Public. No entry of a configuration can match it.
var publicEntry = rule.Entry{Name: "ECR Public"}

// Decide computes the plan for an image. own is the account of the node's identity.
// Decide uses it only if c.Rules.DependsOnOwn. pod is the service account of the
// pod that needs the image. If pod is nil, the plan may be incomplete: it can be
// explained, but not executed.
//
// The error says why the configuration has no plan for this pod and registry.
func Decide(c config.Config, image registry.Image, own registry.Account, pod *kubelet.ServiceAccount) (Decision, error) {
	if image.Registry().Public() {
		return decidePublic(c, image), nil
	}
	match := c.Rules.Match(image, own)
	d := Decision{Entry: match.Entry, Why: match.Why, PerRepository: match.PerRepository}
	if d.Entry == nil && c.UnmatchedNone {
		return d, nil
	}
	if d.Entry == nil {
		d.Entry = &c.Unmatched
	}
	var err error
	if d.Plan, err = Compute(c, d.Entry, image.Registry(), pod); err != nil {
		return d, fmt.Errorf("no credentials for registry %s (%s): %w", image.Registry(), d.Entry.Name, err)
	}
	d.Warning = stockRoleUnused(d, pod)
	return d, nil
}

// OfEntry computes the plan for those images of a registry that the entry governs, if
// the request has no service account token.
func OfEntry(c config.Config, entry *rule.Entry, reg registry.Registry) (Plan, error) {
	p, err := Compute(c, entry, reg, &kubelet.ServiceAccount{})
	if err != nil {
		return Plan{}, fmt.Errorf("no credentials for registry %s (%s): %w", reg, entry.Name, err)
	}
	return p, nil
}

func decidePublic(c config.Config, image registry.Image) Decision {
	if c.UnmatchedNone {
		return Decision{Why: "it is ECR Public"}
	}
	return Decision{Entry: &publicEntry, Why: "an anonymous pull works without a token", Plan: Plan{API: image.Registry().API()}}
}

// Compute resolves everything that an entry says about a registry and a pod. The
// result is the plan for those images of the registry that the entry governs.
func Compute(c config.Config, entry *rule.Entry, reg registry.Registry, pod *kubelet.ServiceAccount) (Plan, error) {
	p := Plan{API: reg.API()}
	start, named, err := start(entry, reg, pod)
	if err != nil {
		return Plan{}, err
	}
	p.ServiceAccount = start
	if start == nil && entry.ServiceAccount != nil {
		return p, nil // the node is the source, without further roles
	}
	for _, template := range entry.Roles {
		role, err := template.Resolve(reg, entry.Repositories, named)
		if err != nil {
			return Plan{}, err
		}
		p.Roles = append(p.Roles, role)
	}
	if p.AssumesRoles() {
		p.NodeWhenRefused = entry.NodeWhenRefused
		p.STSRegion = stsRegion(c.STSRegion, reg)
	}
	return p, nil
}

// stsRegion returns the region of STS that the configuration names. It is zero if
// the configuration leaves it to the node.
func stsRegion(sts config.STSRegion, reg registry.Registry) registry.Region {
	if sts.OfRegistry {
		return reg.Region()
	}
	return sts.Fixed
}

// start returns the service account that starts the chain, and its name for
// placeholders. If it returns nil and no error, the node's identity starts the
// chain.
func start(entry *rule.Entry, reg registry.Registry, pod *kubelet.ServiceAccount) (*ServiceAccount, *rule.Pod, error) {
	switch {
	case entry.ServiceAccount == nil:
		return nil, nil, nil
	case pod == nil:
		return &ServiceAccount{Role: rule.NewRole("", "{namespace}.{serviceAccount}")}, nil, nil
	}
	arn, err := startRole(*entry.ServiceAccount, reg, *pod)
	if err != nil || arn == "" {
		return nil, nil, err
	}
	claims, err := ReadClaims(pod.Token)
	if err != nil {
		return nil, nil, err
	}
	return &ServiceAccount{Role: rule.NewRole(arn, claims.SessionName()), Claims: claims},
		&rule.Pod{Namespace: claims.Namespace, ServiceAccount: claims.ServiceAccount}, nil
}

// startRole returns the role that a pod's service account starts with. It returns
// "" if the node is the source instead.
func startRole(account rule.ServiceAccount, reg registry.Registry, pod kubelet.ServiceAccount) (string, error) {
	if pod.Token.IsZero() {
		if account.NodeWhenNoToken {
			return "", nil
		}
		return "", errors.New("the request has no service account token; set tokenAttributes in the kubelet's CredentialProviderConfig, or whenNoToken: Node")
	}
	arn, err := account.Role(reg, pod.Annotations)
	switch {
	case !errors.Is(err, rule.ErrNoRole):
		return arn, err
	case account.NodeWhenNoRole:
		return "", nil
	}
	return "", fmt.Errorf("the service account has no annotation %s, or the kubelet does not pass it on (tokenAttributes), and roleARN is not set; set one of them, or whenNoRole: Node",
		account.RoleAnnotation)
}

// stockRoleUnused returns a warning if the role in the environment has no effect.
func stockRoleUnused(d Decision, pod *kubelet.ServiceAccount) string {
	account := d.Entry.ServiceAccount
	if account == nil || !account.AnyRole || account.RoleARN == nil || pod == nil || !pod.Token.IsZero() {
		return ""
	}
	return "$" + config.StockRoleVariable + " is set, but the request has no service account token; using the node's own identity"
}
