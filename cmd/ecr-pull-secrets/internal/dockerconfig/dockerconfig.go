// Package dockerconfig encodes registries' credentials for a pull Secret, in the
// format of docker's config.json.
package dockerconfig

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// Credential is a user name and a password for images whose names start with Key.
type Credential struct {
	// Key is HOST or HOST/PREFIX.
	Key string
	// Login is "USER:PASSWORD".
	Login secret.Text
	// Expires is when the password expires. It is not part of the format.
	Expires time.Time
	// Overdue is true if a newer password is due, but there is none. It is not part of
	// the format.
	Overdue bool
}

type file struct {
	Auths map[string]auth `json:"auths"`
}

type auth struct {
	Auth string `json:"auth"` // base64 of USER:PASSWORD
}

// Encode returns the credentials in the format. The encoding does not depend on
// their order.
func Encode(credentials []Credential) ([]byte, error) {
	f := file{map[string]auth{}}
	for _, c := range credentials {
		f.Auths[c.Key] = auth{base64.StdEncoding.EncodeToString([]byte(c.Login.Reveal()))}
	}
	return json.Marshal(f) // sorts the keys
}

// Decode returns the logins in a text of Encode, by key. It leaves out values that
// are not base64. It reports false if the text is not in the format.
func Decode(encoded []byte) (map[string]secret.Text, bool) {
	var f file
	if json.Unmarshal(encoded, &f) != nil {
		return nil, false
	}
	logins := map[string]secret.Text{}
	for key, a := range f.Auths {
		if login, err := base64.StdEncoding.DecodeString(a.Auth); err == nil && len(login) > 0 {
			logins[key] = secret.New(string(login))
		}
	}
	return logins, true
}
