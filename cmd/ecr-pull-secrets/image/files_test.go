package main

import (
	"archive/tar"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// untar returns the files of an archive.
func untar(t *testing.T, archive io.Reader) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	for reader := tar.NewReader(archive); ; {
		header, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF):
			return files
		case err != nil:
			t.Fatal(err)
		case header.Typeflag == tar.TypeReg:
			content, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			files[header.Name] = &fstest.MapFile{Data: content, Mode: 0o644}
		}
	}
}

// checkCertificates checks that a bundle has the roots of AWS's services.
func checkCertificates(t *testing.T, bundle io.Reader) {
	t.Helper()
	text, err := io.ReadAll(bundle)
	if err != nil {
		t.Fatal(err)
	}
	n, amazon := 0, 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if strings.HasPrefix(certificate.Subject.CommonName, "Amazon Root CA ") {
			amazon++
		}
	}
	if n < 50 || amazon != 4 {
		t.Errorf("got %d certificates, %d of Amazon; want at least 50, and 4 of Amazon", n, amazon)
	}
}
