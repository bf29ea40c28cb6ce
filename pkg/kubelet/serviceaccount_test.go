package kubelet_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/kubelet"
)

// TestServiceAccount: only v1 has tokens and annotations. In a request of an older
// version they are ignored.
func TestServiceAccount(t *testing.T) {
	t.Parallel()
	const group = "credentialprovider.kubelet.k8s.io/"
	role := map[string]string{"role": "x"}
	without := func(field string) string {
		return strings.Replace(request(secret), field, "tomorrows"+field, 1)
	}
	tests := []struct {
		name, in, token string
		annotations     map[string]string
	}{
		{"both", request(secret), secret, role},
		{"no token", without("serviceAccountToken"), "", role},
		{"empty token", request(""), "", role},
		{"null for a token", strings.Replace(request(secret), `"`+secret+`"`, "null", 1), "", role},
		{"no annotations", without("serviceAccountAnnotations"), secret, nil},
		{"null for annotations", strings.Replace(request(secret), `{"role":"x"}`, "null", 1), secret, nil},
		{"empty annotations", strings.Replace(request(secret), `{"role":"x"}`, "{}", 1), secret, map[string]string{}},
		{"empty annotation", strings.Replace(request(secret), `{"role":"x"}`, `{"role":""}`, 1), secret, map[string]string{"role": ""}},
		{"annotations of any text", strings.Replace(request(secret), `{"role":"x"}`, `{"":"\n","a\u0000":"{}"}`, 1), secret, map[string]string{"": "\n", "a\x00": "{}"}},
		{"neither", strings.Replace(without("serviceAccountToken"), "serviceAccountAnnotations", "others", 1), "", nil},
		{"token as it is", request(" " + secret + "\n"), " " + secret + "\n", role},
		{"v1beta1", request(secret, "apiVersion", group+"v1beta1"), "", nil},
		{"v1alpha1", request(secret, "apiVersion", group+"v1alpha1"), "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := readRequest(t, test.in).ServiceAccount()
			if got.Token.Reveal() != test.token {
				t.Errorf("the token is %q, want %q", got.Token.Reveal(), test.token)
			}
			if !reflect.DeepEqual(got.Annotations, test.annotations) {
				t.Errorf("Annotations = %q, want %q", got.Annotations, test.annotations)
			}
		})
	}
	if none := (kubelet.ServiceAccount{}); !none.Token.IsZero() || len(none.Annotations) != 0 {
		t.Errorf("the zero value is %v, want no token and no annotations", none)
	}
}

// TestFormatTellsNoToken: printing a request in any way does not print the token.
func TestFormatTellsNoToken(t *testing.T) {
	t.Parallel()
	r := readRequest(t, request(secret))
	s := r.ServiceAccount()
	if s.Token.Reveal() != secret {
		t.Fatal("the request does not have the token")
	}
	values := map[string]any{
		"request":         r,
		"pointer":         &r,
		"service account": s,
		"its pointer":     &s,
		"slice":           []kubelet.Request{r},
		"pointers":        []*kubelet.ServiceAccount{&s},
		"map":             map[string]kubelet.ServiceAccount{"x": s},
		"exported fields": struct{ R kubelet.Request }{r},
		"embedded":        struct{ kubelet.ServiceAccount }{s},
		"unexported":      struct{ r kubelet.Request }{r},
		"deep inside": struct {
			of []struct{ s *kubelet.ServiceAccount }
		}{[]struct{ s *kubelet.ServiceAccount }{{&s}}},
		"any":              []any{r, &r, s, &s},
		"error that wraps": fmt.Errorf("answering %v: %w", r, errors.New("no")),
	}
	const verbs = "vTtbcdoOqxXUeEfFgGsp"
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range verbs {
				for _, flags := range []string{"", "+", "#", "-", " ", "0", "#+", "200", ".1", "#200.100", "[1]"} {
					checkUntold(t, fmt.Sprintf("%"+flags+string(verb), value))
				}
			}
			checkUntold(t, fmt.Sprint(value), fmt.Sprintln(value))
			if encoded, err := json.Marshal(value); err == nil {
				checkUntold(t, string(encoded))
			}
			var log bytes.Buffer
			for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
				slog.New(handler).Info("asked", "value", value, slog.Group("of", "it", value))
			}
			checkUntold(t, log.String())
		})
	}
}

// checkUntold looks for the token in plain text, and in the forms that some verbs
// write.
func checkUntold(t *testing.T, texts ...string) {
	t.Helper()
	hidden := secret[:7]
	bytesOf := strings.Trim(fmt.Sprintf("%d", []byte(hidden)), "[]")
	for _, text := range texts {
		for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), bytesOf, base64.StdEncoding.EncodeToString([]byte(hidden))[:8]} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
				t.Errorf("the text contains the token: %s", text)
			}
		}
	}
}

func readRequest(t *testing.T, in string) kubelet.Request {
	t.Helper()
	r, err := kubelet.ReadRequest(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
