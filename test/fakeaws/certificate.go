package fakeaws

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"time"
)

// authority is the certificate authority of one server.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "fakeaws CA"}, // OpenSSL treats a certificate with equal subject and issuer as self-signed
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key}, err
}

// pem returns the authority's certificate, for AWS_CA_BUNDLE.
func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// serverCertificate returns a certificate for loopback and the given names, valid until
// the given time.
func (a *authority) serverCertificate(until time.Time, names ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(random(8)),
		Subject:      pkix.Name{CommonName: "fakeaws"},
		NotBefore:    until.Add(-48 * time.Hour),
		NotAfter:     until,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		DNSNames:     append([]string{"localhost"}, names...),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// certificates makes a certificate for each AWS host name that a client requests.
type certificates struct {
	authority *authority
	until     time.Time

	mu   sync.Mutex
	made map[string]*tls.Certificate
}

// of is the GetCertificate of a server. For names that are not AWS's it returns nil,
// and the server uses its certificate for loopback.
func (c *certificates) of(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if made, ok := c.made[hello.ServerName]; ok {
		return made, nil
	}
	if _, ok := serviceOf(hello.ServerName); !ok {
		return nil, nil //nolint:nilnil // crypto/tls defines this result
	}
	made, err := c.authority.serverCertificate(c.until, hello.ServerName)
	if err != nil {
		return nil, err
	}
	c.made[hello.ServerName] = &made
	return &made, nil
}
