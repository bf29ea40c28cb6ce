// Package identity turns the node's own identity, by way of the roles to
// assume, into the credentials that ask a registry for a token.
package identity

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Session is credentials and who they are.
type Session struct {
	// Principal is who the credentials are, for messages: "the node's identity
	// (EC2RoleProvider)", or a role's ARN.
	Principal string
	// Ends is when the assumed role's session is over. It is zero for the node's
	// own identity, whose source renews it.
	Ends time.Time

	// Behind a function, as fmt looks into everything else.
	credentials func() aws.Credentials
}

// NewSession makes a session, which keeps its credentials to itself.
func NewSession(credentials aws.Credentials, principal string, ends time.Time) Session {
	return Session{Principal: principal, Ends: ends, credentials: func() aws.Credentials { return credentials }}
}

// Credentials are the session's, ready for use.
func (s Session) Credentials() aws.Credentials {
	if s.credentials == nil {
		return aws.Credentials{}
	}
	return s.credentials()
}

// String is the session without its secrets.
func (s Session) String() string { return s.Principal }

// Format is String for every verb, so that none prints the secrets.
func (s Session) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.Principal) }
