package app

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"k8s.io/klog/v2"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// TestRedacted: no line contains a token, neither this program's lines nor client-go's.
func TestRedacted(t *testing.T) {
	t.Parallel()
	const token = "verylongtokenverylongtoken1234567890"
	encoded := base64.StdEncoding.EncodeToString([]byte("AWS:" + token))
	var out, later strings.Builder
	log := newLog(&out, func() []secret.Text { return []secret.Text{secret.New(token), secret.New(encoded)} })
	log.Warn("the API server quotes "+token, "error", errors.New(`invalid value "`+encoded+`"`), "namespace", "shop")
	ctx := withLog(t.Context(), log)
	withLog(t.Context(), newLog(&later, func() []secret.Text { return nil })) // must not take the first log's lines
	klog.FromContext(ctx).Error(errors.New("it quotes "+token), "Failed to watch", "namespace", "cart")
	text := out.String()
	if strings.Contains(text, token[:12]) || strings.Contains(text, encoded[:12]) {
		t.Errorf("got %s in the log, want no secret", text)
	}
	for _, want := range []string{`"namespace":"shop"`, `"namespace":"cart"`, `"component":"client-go"`} {
		if !strings.Contains(text, want) {
			t.Errorf("got %s in the log, want %s", text, want)
		}
	}
	if later.Len() > 0 {
		t.Errorf("got %s in another log, want nothing", later.String())
	}
}
