package plan

import (
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/secret"
)

func token(payload string) secret.Text {
	return secret.New("e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2lnbmF0dXJl")
}

func TestReadClaims(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, payload string
		want          Claims
		session       string
	}{
		{
			"bound token", `{"iss":"https://oidc.example.com","sub":"system:serviceaccount:team-a:app","aud":["sts.amazonaws.com"],"exp":1,` +
				`"kubernetes.io":{"namespace":"team-a","serviceaccount":{"name":"app","uid":"1-2"}}}`,
			Claims{"https://oidc.example.com", "system:serviceaccount:team-a:app", []string{"sts.amazonaws.com"}, "team-a", "app", "1-2"},
			"team-a.app",
		},
		{
			"subject only", `{"sub":"system:serviceaccount:team-a:app","aud":"sts.amazonaws.com"}`,
			Claims{Subject: "system:serviceaccount:team-a:app", Audience: []string{"sts.amazonaws.com"}, Namespace: "team-a", ServiceAccount: "app"},
			"team-a.app",
		},
		{"another subject", `{"sub":"me"}`, Claims{Subject: "me"}, "service-account"},
		{"no claims", `{}`, Claims{}, "service-account"},
		{"odd types", `{"iss":1,"sub":[],"aud":{},"kubernetes.io":"x"}`, Claims{}, "service-account"},
		{"odder types", `{"aud":[1,"a"],"kubernetes.io":{"namespace":5,"serviceaccount":["app"]}}`, Claims{Audience: []string{"", "a"}}, "service-account"},
		{
			"hostile names", `{"kubernetes.io":{"namespace":"a\nb ☺","serviceaccount":{"name":"` + strings.Repeat("x", 100) + `"}}}`,
			Claims{Namespace: "a\nb ☺", ServiceAccount: strings.Repeat("x", 100)},
			"a-b----." + strings.Repeat("x", 56),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadClaims(token(test.payload))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
			if name := got.SessionName(); name != test.session {
				t.Errorf("got session %q, want %q", name, test.session)
			}
		})
	}
}

func TestReadClaimsOfInvalidToken(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":        "",
		"words":        "hunter2",
		"two parts":    "e30.e30",
		"four parts":   "e30.e30.e30.e30",
		"not base64":   "e30.!hunter2!.e30",
		"not JSON":     "e30." + base64.RawURLEncoding.EncodeToString([]byte("hunter2")) + ".e30",
		"a list":       token(`["hunter2"]`).Reveal(),
		"null":         token("null").Reveal(),
		"a text":       token(`"hunter2"`).Reveal(),
		"padded":       "e30.e30=.e30",
		"not UTF-8":    token("{\"sub\":\"hunter2\xff\"}").Reveal(),
		"endless dots": strings.Repeat(".", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claims, err := ReadClaims(secret.New(text))
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, %v; want an error without the token", claims, err)
			}
		})
	}
}

// FuzzReadClaims: STS accepts the session name for any token.
func FuzzReadClaims(f *testing.F) {
	f.Add(`{"sub":"system:serviceaccount:a:b"}`)
	f.Add(`{"kubernetes.io":{"namespace":"n","serviceaccount":{"name":"s"}}}`)
	f.Fuzz(func(t *testing.T, payload string) {
		claims, err := ReadClaims(token(payload))
		name := claims.SessionName()
		if err != nil && !reflect.DeepEqual(claims, Claims{}) {
			t.Errorf("got claims %v beside an error, want none", claims)
		}
		if len(name) < 2 || len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-") != "" {
			t.Errorf("got session %q, want 2 to 64 characters that STS accepts", name)
		}
	})
}
