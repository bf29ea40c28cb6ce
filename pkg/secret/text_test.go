package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/secret"
)

const marker = "marker-of-a-secret"

// holder has a secret in every kind of field that fmt prints.
type holder struct {
	Exported   secret.Text
	unexported secret.Text
	inside     struct{ deep secret.Text }
	list       []secret.Text
	byKey      map[string]secret.Text
	pointer    *secret.Text
}

func TestTextIsNeverPrinted(t *testing.T) {
	t.Parallel()
	text := secret.New(marker)
	h := holder{Exported: text, unexported: text, list: []secret.Text{text}, byKey: map[string]secret.Text{"k": text}, pointer: &text}
	h.inside.deep = text
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p", "%T"} {
		for _, value := range []any{text, &text, h, &h, []holder{h}, map[string]holder{"h": h}} {
			if got := fmt.Sprintf(verb, value); strings.Contains(got, marker) || strings.Contains(got, fmt.Sprintf("%x", marker)) {
				t.Errorf("%s of %T: got the secret in %s", verb, value, got)
			}
		}
	}
	if got := text.String(); got != "[redacted]" {
		t.Errorf("got String() = %q, want [redacted]", got)
	}
}

func TestTextIsNeverEncoded(t *testing.T) {
	t.Parallel()
	text := secret.New(marker)
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(handler).Info("message", "secret", text, "holder", holder{Exported: text})
	}
	encoded, err := json.Marshal(map[string]any{"text": text, "holder": holder{Exported: text}})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{log.String(), string(encoded)} {
		if strings.Contains(got, marker) || !strings.Contains(got, "[redacted]") {
			t.Errorf("got %s, want [redacted] instead of the secret", got)
		}
	}
}

func TestReveal(t *testing.T) {
	t.Parallel()
	var zero secret.Text
	if got := secret.New(marker).Reveal(); got != marker {
		t.Errorf("got %q, want %q", got, marker)
	}
	if !zero.IsZero() || !secret.New("").IsZero() || secret.New(marker).IsZero() || zero.Reveal() != "" {
		t.Error("got a wrong IsZero or Reveal, want true and \"\" only for the empty text")
	}
	if !secret.New(marker).Equal(secret.New(marker)) || secret.New(marker).Equal(zero) {
		t.Error("got a wrong Equal, want a comparison of the texts")
	}
}
