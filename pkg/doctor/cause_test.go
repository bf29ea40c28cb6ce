package doctor

import (
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
)

// TestExpired: only a certificate outside its time is expired.
func TestExpired(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want bool
	}{
		{x509.CertificateInvalidError{Reason: x509.Expired}, true},
		{fmt.Errorf("asking STS: %w", x509.CertificateInvalidError{Reason: x509.Expired}), true},
		{x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, false},
		{errors.New("expired"), false},
	} {
		if got := expired(test.err); got != test.want {
			t.Errorf("%v: got %t, want %t", test.err, got, test.want)
		}
	}
}
