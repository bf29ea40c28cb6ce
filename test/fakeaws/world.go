// Package fakeaws replaces AWS in tests and in the demo, over HTTP or TLS on loopback.
// It serves STS, ECR, ECR Public, parts of IAM, the private registries and their S3
// buckets, and the instance metadata service of one EC2 node. It behaves like AWS where
// that matters. API requests must be signed with credentials that it issued. Only
// principals in a role's trust policy can assume that role. A token names the session
// that requested it.
package fakeaws

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"
)

// World holds the accounts: the roles, who may assume them, and the issued
// credentials.
type World struct {
	// TokenLife is the life of authorization tokens. NewWorld sets it to 12h.
	TokenLife time.Duration

	mu     sync.Mutex
	skew   time.Duration
	passed time.Duration // time that has passed for AWS but not for the machine
	node   Node
	roles  map[string]Role
	issued map[string]Credentials
	key    []byte // authenticates authorization tokens

	issuers       map[string]*rsa.PublicKey    // the published keys, by issuer
	providers     map[string]map[string]values // the OIDC providers' audiences, by account and issuer
	providerTags  map[string]map[string]string // by the provider's ARN
	organizations map[string]organization      // by account
	endpoints     map[Endpoint]document        // the endpoints' policies

	resourcePolicies map[Repository][]document // by repository or registry
	cacheRules       []Repository              // with the prefixes as names

	images map[Repository]map[string][]byte // contents by tag and digest

	trustEverybody bool
}

// Node is an EC2 instance.
type Node struct {
	InstanceID string
	Region     string
	// Role is the ARN of the role in its instance profile. Empty means no instance
	// profile.
	Role string
}

// Credentials are credentials of STS or IMDS, and the session that owns them.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string

	Expires time.Time
	// Principal is the ARN of the session: arn:aws:sts::ACCOUNT:assumed-role/…
	Principal string
	// Role is the role's ARN.
	Role string
	// Chained means that AssumeRole or AssumeRoleWithWebIdentity issued them.
	Chained bool
	// Policy is the session policy of the session. Empty means none.
	Policy string
}

// NewWorld returns accounts with a node and roles. The node's own role need not be
// among them.
func NewWorld(node Node, roles ...Role) *World {
	w := &World{
		TokenLife: 12 * time.Hour,
		node:      node,
		roles:     map[string]Role{},
		issued:    map[string]Credentials{},
		key:       random(32),
		issuers:   map[string]*rsa.PublicKey{},

		providers:        map[string]map[string]values{},
		providerTags:     map[string]map[string]string{},
		organizations:    map[string]organization{},
		endpoints:        map[Endpoint]document{},
		resourcePolicies: map[Repository][]document{},
		images:           map[Repository]map[string][]byte{},
	}
	for _, r := range append([]Role{{ARN: node.Role}}, roles...) {
		w.SetRole(r)
	}
	return w
}

// TrustEverybody lets everybody assume every role that SetRole did not set, except a
// role with the name "absent".
func (w *World) TrustEverybody() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trustEverybody = true
}

// SetSkew sets how far AWS's clock is ahead of the machine's.
func (w *World) SetSkew(skew time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skew = skew
}

// Pass advances AWS's clock, for a caller with an injected clock. The machine's clock
// is unchanged. The SDK signs by the machine's clock. Once it has learned the
// difference, it signs by AWS's clock. So both dates are accepted.
func (w *World) Pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passed += d
}

// Now returns the time of AWS's clock.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.skew + w.passed)
}

// isLate reports whether the date of a request's signature is too far from AWS's clock,
// both with and without the time that Pass added.
func (w *World) isLate(signedAt time.Time) bool {
	now := w.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	return min(signedAt.Sub(now).Abs(), signedAt.Sub(now.Add(-w.passed)).Abs()) > maxClockDifference
}

func (w *World) role(arn string) (Role, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.roles[arn]
	if !ok && w.trustEverybody && !strings.HasSuffix(arn, "/absent") {
		return Role{ARN: arn, Trust: []Trust{{Principal: Everybody, TagSession: true}}}, true
	}
	return r, ok
}

// Issue issues credentials for a session of a role. Tests give them to nodes that are
// not EC2 instances.
func (w *World) Issue(roleARN, session string, life time.Duration) Credentials {
	return w.issue(roleARN, session, life, false, "")
}

// issue issues credentials for a session of a role.
func (w *World) issue(roleARN, session string, life time.Duration, chained bool, policy string) Credentials {
	c := Credentials{
		AccessKeyID:     "ASIA" + strings.ToUpper(hex.EncodeToString(random(8))),
		SecretAccessKey: secretMark + hex.EncodeToString(random(15)),
		SessionToken:    sessionMark + hex.EncodeToString(random(60)),
		Expires:         w.Now().Add(life).Truncate(time.Second),
		Principal:       sessionARN(roleARN, session),
		Role:            roleARN,
		Chained:         chained,
		Policy:          policy,
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.issued[c.AccessKeyID] = c
	return c
}

func (w *World) credentials(accessKeyID string) (Credentials, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ok := w.issued[accessKeyID]
	return c, ok
}

// Every issued secret starts with one of these prefixes, so that a test can search for
// secrets.
const (
	secretMark  = "SECRETKEY"
	sessionMark = "SESSIONTOKEN"
	tokenMark   = "ECRTOKEN"

	metadataMark = "IMDSTOKEN"
)

// SecretMarks returns the prefixes of all issued secrets, and LeakMark.
func SecretMarks() []string {
	return []string{secretMark, sessionMark, tokenMark, metadataMark, LeakMark}
}

// sessionARN returns the ARN of a role's session in STS.
func sessionARN(roleARN, session string) string {
	parts := strings.SplitN(roleARN, ":", 6)
	if len(parts) < 6 {
		return roleARN
	}
	name := parts[5][strings.LastIndex(parts[5], "/")+1:]
	return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", parts[1], parts[4], name, session)
}

// accountOf returns the account in an ARN.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}
