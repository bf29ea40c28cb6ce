package app

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// TestRedacted: no line contains a token, neither this program's lines nor
// client-go's.
func TestRedacted(t *testing.T) {
	t.Parallel()
	const token = "verylongtokenverylongtoken1234567890"
	encoded := base64.StdEncoding.EncodeToString([]byte("AWS:" + token))
	var out strings.Builder
	log := newLog(&out, func() []secret.Text { return []secret.Text{secret.New(token), secret.New(encoded)} })
	log.Warn("the API server quotes "+token, "error", errors.New(`invalid value "`+encoded+`"`), "namespace", "shop")
	if text := out.String(); strings.Contains(text, token[:12]) || strings.Contains(text, encoded[:12]) || !strings.Contains(text, `"namespace":"shop"`) {
		t.Errorf("got %s in the log, want no secret", text)
	}
}
