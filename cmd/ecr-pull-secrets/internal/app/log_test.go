package app

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"k8s.io/klog/v2"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/dockerconfig"
	"ecr-cross-account-credential-provider/pkg/secret"
)

const aToken = "verylongtokenverylongtoken1234567890"

// TestRedacted: no line contains a token, neither this program's lines nor client-go's.
func TestRedacted(t *testing.T) {
	t.Parallel()
	encoded := base64.StdEncoding.EncodeToString([]byte("AWS:" + aToken))
	var out, later strings.Builder
	log := newLog(&out, func() []secret.Text { return forms(secret.New("AWS:" + aToken)) })
	log.Warn("the API server quotes "+aToken, "error", errors.New(`invalid value "`+encoded+`"`), "namespace", "shop")
	ctx := withLog(t.Context(), log)
	withLog(t.Context(), newLog(&later, func() []secret.Text { return nil })) // must not take the first log's lines
	klog.FromContext(ctx).Error(errors.New("it quotes "+aToken), "Failed to watch", "namespace", "cart")
	text := out.String()
	if strings.Contains(text, aToken[:12]) || strings.Contains(text, encoded[:12]) {
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

// TestQuotedRequest: a webhook may quote a Secret's data as it is in a request. The
// lengths of the keys are different modulo 3, which changes the encoding of the token.
func TestQuotedRequest(t *testing.T) {
	t.Parallel()
	login := secret.New("AWS:" + aToken)
	auth := base64.StdEncoding.EncodeToString([]byte(login.Reveal()))
	for _, key := range []string{"a", "ab", "abc"} {
		content, err := dockerconfig.Encode([]dockerconfig.Credential{{Key: key, Login: login}})
		if err != nil {
			t.Fatal(err)
		}
		data, at := base64.StdEncoding.EncodeToString(content), bytes.Index(content, []byte(auth))
		quoted := data[(at+2)/3*4 : (at+len(auth))/3*4] // only the token decides this part
		got := redact(`denied the request: "`+data+`"`, forms(login))
		for i := range len(quoted) - 11 {
			if part := quoted[i : i+12]; strings.Contains(got, part) {
				t.Errorf("key %q: got %s, want no %s in it", key, got, part)
			}
		}
	}
}
