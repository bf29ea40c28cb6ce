// Package fakeaws stands in for AWS in tests and in the demo: STS, ECR, ECR
// Public, and the instance metadata service of one EC2 node, over HTTP on
// loopback. It keeps what matters of the real ones: requests must be signed with
// credentials that it issued, roles are assumed only by whom their trust policy
// names, and a token says who got it.
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

// World is the accounts: who is there, who may become whom, and which
// credentials are about.
type World struct {
	// TokenLife is how long authorization tokens live: 12h.
	TokenLife time.Duration

	mu     sync.Mutex
	skew   time.Duration
	passed time.Duration // that has passed for AWS, and not for the machine
	node   Node
	roles  map[string]Role
	issued map[string]Credentials
	key    []byte // authenticates authorization tokens

	issuers       map[string]*rsa.PublicKey    // whose keys are known
	providers     map[string]map[string]values // the OIDC providers' audiences, by account and issuer
	providerTags  map[string]map[string]string // by the provider's ARN
	organizations map[string]organization      // by account
	endpoints     map[Endpoint]document        // with a policy

	resourcePolicies map[Repository][]document // of repositories and registries
	cacheRules       []Repository              // with the prefixes as names

	images map[Repository]map[string][]byte // contents by tag and digest

	trustEverybody bool
}

// Node is an EC2 instance.
type Node struct {
	InstanceID string
	Region     string
	// Role is the ARN of its instance profile's role; empty is no profile.
	Role string
}

// Credentials are what STS or IMDS issued, and to whom.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string

	Expires time.Time
	// Principal is the ARN of the session: arn:aws:sts::ACCOUNT:assumed-role/…
	Principal string
	// Role is the role's ARN.
	Role string
	// Chained tells that AssumeRole issued them.
	Chained bool
	// Policy is the session policy that they were issued with; empty is none.
	Policy string
}

// NewWorld makes accounts with a node and roles. The node's own role need not
// be among them.
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

// TrustEverybody lets everybody assume every role that no SetRole is about, except
// a role whose name is "absent".
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

// Pass lets hours pass for a caller whose clock is handed in, while the machine's
// stays as it is. The SDK signs by the machine's clock, or by AWS's once it knows that,
// so both dates are accepted.
func (w *World) Pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.passed += d
}

// Now is the time by AWS's clock.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.skew + w.passed)
}

// isLate tells whether a request was not signed just now.
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

// Issue makes credentials for a session of a role, as whatever signs a node in
// that is no EC2 instance.
func (w *World) Issue(roleARN, session string, life time.Duration) Credentials {
	return w.issue(roleARN, session, life, false, "")
}

// issue makes credentials for a session of a role.
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

// Every secret that is issued starts with one of these, so that a test can look
// for secrets where none should be.
const (
	secretMark  = "SECRETKEY"
	sessionMark = "SESSIONTOKEN"
	tokenMark   = "ECRTOKEN"

	metadataMark = "IMDSTOKEN"
)

// SecretMarks are what the secrets that are issued start with, and LeakMark.
func SecretMarks() []string {
	return []string{secretMark, sessionMark, tokenMark, metadataMark, LeakMark}
}

// sessionARN is how STS names a session of a role.
func sessionARN(roleARN, session string) string {
	parts := strings.SplitN(roleARN, ":", 6)
	if len(parts) < 6 {
		return roleARN
	}
	name := parts[5][strings.LastIndex(parts[5], "/")+1:]
	return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", parts[1], parts[4], name, session)
}

// accountOf is the account in an ARN.
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
