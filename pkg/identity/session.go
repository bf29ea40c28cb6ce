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
	// Credentials are ready for use; none of them is ever printed.
	Credentials aws.Credentials
	// Principal is who the credentials are, for messages: "the node's identity
	// (EC2RoleProvider)", or a role's ARN.
	Principal string
	// Ends is when the assumed role's session is over. It is zero for the node's
	// own identity, whose source renews it.
	Ends time.Time
}

// String is the session without its secrets.
func (s Session) String() string { return s.Principal }

// Format is String for every verb, so that none prints the secrets.
func (s Session) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.Principal) }
