// Package identity executes a plan up to the credentials that request a token. It
// starts with the node's identity or a pod's service account, and assumes the roles
// that follow.
package identity

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// Session holds credentials and names their owner.
type Session struct {
	// Principal names the credentials' owner in messages: "the node's identity
	// (EC2RoleProvider)", or a role's ARN.
	Principal string
	// Ends is the time when the assumed role's session ends. It is zero for the
	// node's own identity, because the source of its credentials renews them.
	Ends time.Time
	// Refusal is STS's denial of a role. It is set if the plan fell back to the
	// node's identity. It does not name the registry.
	Refusal error

	accessKeyID, source, accountID string
	secretKey, sessionToken        secret.Text
}

// NewSession returns a session with the credentials.
func NewSession(c aws.Credentials, principal string, ends time.Time) Session {
	return Session{
		Principal: principal, Ends: ends,
		accessKeyID: c.AccessKeyID, source: c.Source, accountID: c.AccountID,
		secretKey: secret.New(c.SecretAccessKey), sessionToken: secret.New(c.SessionToken),
	}
}

// Credentials returns the session's credentials for an AWS client.
func (s Session) Credentials() aws.Credentials {
	return aws.Credentials{
		AccessKeyID: s.accessKeyID, SecretAccessKey: s.secretKey.Reveal(), SessionToken: s.sessionToken.Reveal(),
		Source: s.source, AccountID: s.accountID,
	}
}
