package fakeaws

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
)

// TestNames: a server listens at the requested address, and has a certificate for
// the requested names.
func TestNames(t *testing.T) {
	t.Parallel()
	const name = "sts.eu-west-1.amazonaws.com"
	s, err := Start(ExampleWorld(), Options{TLS: true, Dir: t.TempDir(), Names: []string{name}, Listen: map[Service]string{STS: "127.0.1.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	address := s.URL(STS)[len("https://"):]
	if address[:len("127.0.1.1:")] != "127.0.1.1:" {
		t.Errorf("listens at %s, want 127.0.1.1", address)
	}
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if s.TLS() == nil {
		t.Error("TLS() = nil, want a configuration for other servers")
	}
}
