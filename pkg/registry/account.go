package registry

import (
	"fmt"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Account is the number of an AWS account. The zero value is no account.
type Account struct{ id string }

// ParseAccount parses the 12 digits of an account number. Leading zeros count.
func ParseAccount(s string) (Account, error) {
	if len(s) != 12 {
		return Account{}, fmt.Errorf("%q is not an account number; want 12 digits", printable.Short(s))
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return Account{}, fmt.Errorf("%q is not an account number; want 12 digits", printable.Short(s))
		}
	}
	return Account{s}, nil
}

// String returns the account's 12 digits.
func (a Account) String() string { return a.id }

// IsZero reports whether a is the zero value.
func (a Account) IsZero() bool { return a.id == "" }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
