// Package plan computes how to obtain the token for an image: which entry of the
// configuration governs it, which identity starts the chain, which roles follow,
// and which API issues the token. A Plan is computed once. The cache key is its
// hash, minting executes it, and explain prints it.
package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Plan describes how to obtain a token, as far as local information goes. Values
// that only the node knows stay open: its name ({node} in Roles), its region, its
// credentials. Every field affects the token, so every field is part of the key.
type Plan struct {
	// API issues the token.
	API registry.API `json:"api"`
	// ServiceAccount starts the chain. If it is nil, the node's identity starts it.
	ServiceAccount *ServiceAccount `json:"serviceAccount,omitempty"`
	// Roles are assumed in this order. The last one requests the token. If there
	// are none, the identity that starts the chain requests it.
	Roles []rule.Role `json:"assumeRoles,omitempty"`
	// STSRegion is the region whose STS assumes the roles. The zero value stands
	// for the node's region; see STS. It is zero in a plan without STS calls.
	STSRegion registry.Region `json:"stsRegion,omitzero"`
	// NodeWhenRefused lets the node's identity request the token if STS denies a
	// role.
	NodeWhenRefused bool `json:"nodeWhenRefused,omitempty"`
}

// ServiceAccount is a pod's service account as the start of a chain.
type ServiceAccount struct {
	// Role is assumed with the service account's token. Its ARN is empty only in a
	// plan for an unknown pod.
	Role rule.Role `json:"role"`
	// Claims identify the service account.
	Claims Claims `json:"claims,omitzero"`
}

// AssumesRoles reports whether the plan calls STS to assume a role.
func (p Plan) AssumesRoles() bool { return p.ServiceAccount != nil || len(p.Roles) > 0 }

// Identity names the identity that requests the token: the last role's ARN, or "the
// node".
func (p Plan) Identity() string {
	switch {
	case len(p.Roles) > 0:
		return p.Roles[len(p.Roles)-1].ARN
	case p.ServiceAccount != nil:
		return p.ServiceAccount.Role.ARN
	}
	return "the node"
}

// SessionSeconds returns the requested length of the session that requests the
// token. It is 0 for the node's identity.
func (p Plan) SessionSeconds() int {
	switch {
	case len(p.Roles) > 0:
		return p.Roles[len(p.Roles)-1].DurationSeconds
	case p.ServiceAccount != nil:
		return p.ServiceAccount.Role.DurationSeconds
	}
	return 0
}

// Key returns the key of the plan's token in the cache. It is the SHA-256 of the
// whole plan and of source, which selects the node's identity and the endpoints.
func (p Plan) Key(source []string) ([sha256.Size]byte, error) {
	encoded, err := json.Marshal(p)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("encoding the plan: %w", err)
	}
	return Hash(append([]string{"token", string(encoded)}, source...)...), nil
}

// Hash returns the SHA-256 of the parts. Each part is preceded by its length, so
// two lists of parts have the same hash only if they are equal.
func Hash(parts ...string) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range parts {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part))) // writing to a hash never fails
		h.Write([]byte(part))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
