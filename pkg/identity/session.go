// Package identity executes a plan up to the credentials that request a token: the
// node's identity or a pod's service account, and the roles that follow.
package identity

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// Session is credentials and whose they are.
type Session struct {
	// Principal is whose credentials these are, for messages: "the node's identity
	// (EC2RoleProvider)", or a role's ARN.
	Principal string
	// Ends is when the assumed role's session ends. It is zero for the node's own
	// identity, whose source renews it.
	Ends time.Time
	// Refusal is why this is the node's identity, although the plan has a role: STS
	// denied the role, and the plan falls back. It does not name the registry, and is
	// nil otherwise.
	Refusal error

	accessKeyID, source, accountID string
	secretKey, sessionToken        secret.Text
}

// NewSession makes a session of credentials.
func NewSession(c aws.Credentials, principal string, ends time.Time) Session {
	return Session{
		Principal: principal, Ends: ends,
		accessKeyID: c.AccessKeyID, source: c.Source, accountID: c.AccountID,
		secretKey: secret.New(c.SecretAccessKey), sessionToken: secret.New(c.SessionToken),
	}
}

// Credentials returns the session's credentials for a client of AWS.
func (s Session) Credentials() aws.Credentials {
	return aws.Credentials{
		AccessKeyID: s.accessKeyID, SecretAccessKey: s.secretKey.Reveal(), SessionToken: s.sessionToken.Reveal(),
		Source: s.source, AccountID: s.accountID,
	}
}
