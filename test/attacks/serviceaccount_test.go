//go:build linux

package attacks_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

const (
	roleKey = "eks.amazonaws.com/ecr-role-arn"
	podRole = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/pull-a"
)

// podRequest returns a request with a service account's token and an annotation.
func podRequest(token, annotation string) string {
	return requestOf(map[string]any{
		"image": image, "serviceAccountToken": token, "serviceAccountAnnotations": map[string]string{roleKey: annotation},
	})
}

// podToken signs the claims of a service account's token, with some of them changed.
func podToken(t testing.TB, change map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://oidc.example.com/cluster", "sub": "system:serviceaccount:team-a:app", "aud": []string{fakeaws.Audience},
		"exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"kubernetes.io": map[string]any{"namespace": "team-a", "serviceaccount": map[string]string{"name": "app", "uid": "uid-1"}},
	}
	maps.Copy(claims, change)
	issuer, err := cluster()
	if err != nil {
		t.Fatal(err)
	}
	token, err := issuer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// newPodNode makes a node with source: ServiceAccount, and roles that trust everybody.
func newPodNode(t testing.TB, settings string) *node {
	t.Helper()
	n := newNode(t, ofPods+settings)
	n.env = append(n.env, "AWS_REGION=eu-west-1")
	for _, role := range []string{podRole, strings.Replace(podRole, "pull-a", "admin", 1), strings.Replace(podRole, "pull-a", "pull-a/admin", 1)} {
		n.aws.World.SetRole(fakeaws.Role{ARN: role, Trust: []fakeaws.Trust{{Principal: fakeaws.Everybody}}})
	}
	return n
}

// TestAnnotations: an annotation can select only an allowed role. All roles here
// trust everybody.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	n := newPodNode(t, "")
	token := podToken(t, nil)
	for name, annotation := range map[string]string{
		"another role":          strings.Replace(podRole, "pull-a", "admin", 1),
		"below a path":          strings.Replace(podRole, "pull-a", "pull-a/admin", 1),
		"path before":           strings.Replace(podRole, "pull-a", "x/pull-a", 1),
		"dot dot":               strings.Replace(podRole, "pull-a", "pull-a/../admin", 1),
		"another account":       strings.Replace(podRole, fakeaws.FirstAccount, fakeaws.SecondAccount, 1),
		"another partition":     strings.Replace(podRole, "arn:aws:", "arn:aws-cn:", 1),
		"user":                  strings.Replace(podRole, "role/", "user/", 1),
		"session":               "arn:aws:sts::" + fakeaws.FirstAccount + ":assumed-role/pull-a/x",
		"star":                  strings.Replace(podRole, "pull-a", "pull-*", 1),
		"account in braces":     strings.Replace(podRole, fakeaws.FirstAccount, "{account}", 1),
		"name in braces":        strings.Replace(podRole, "pull-a", "pull-{namespace}", 1),
		"question mark":         strings.Replace(podRole, "pull-a", "pull-?", 1),
		"empty":                 "",
		"space":                 " ",
		"space first":           " " + podRole,
		"newline last":          podRole + "\n",
		"NUL last":              podRole + "\x00",
		"two roles":             podRole + "," + podRole,
		"parameter of a query":  podRole + "&RoleArn=" + strings.Replace(podRole, "pull-a", "admin", 1),
		"full-width colon":      strings.Replace(podRole, "role", "role：", 1),
		"upper case":            strings.ToUpper(podRole),
		"letter of two bytes":   podRole + "é",
		"terminal's escapes":    "\x1b[2J" + podRole,
		"100 KB":                podRole + strings.Repeat("a", 100<<10),
		"not UTF-8":             podRole + "\xff",
		"name of 65 characters": strings.Replace(podRole, "pull-a", "pull-"+strings.Repeat("a", 60), 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := *n
			m.t = t
			m.want(m.run(podRequest(token, annotation)), outcome{class: failed})
		})
	}
	t.Cleanup(func() {
		n.wantCalls(0)
		n.want(n.run(podRequest(token, podRole)), outcome{role: podRole, keep: time.Hour})
	})
}

// TestTokens: an invalid token appears neither in a message nor in the log. A claim can
// change only names in the session, never the role.
func TestTokens(t *testing.T) {
	t.Parallel()
	segment := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	good := podToken(t, nil)
	deep := "e30." + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat(`{"a":`, 100_000))) + ".LEAKED"
	for name, test := range map[string]struct {
		token string
		want  class
	}{
		"none":               {"", failed},
		"not a JWT":          {"LEAKED-hunter2", failed},
		"two parts":          {"LEAKED.LEAKED", failed},
		"five parts":         {"LEAKED.e30.LEAKED.LEAKED.LEAKED", failed},
		"claims are a list":  {"LEAKED." + segment([]int{1}) + ".LEAKED", failed},
		"claims are deep":    {deep, failed},
		"claims are 500 KB":  {"e30." + segment(map[string]string{"sub": strings.Repeat("x", 300<<10)}) + ".LEAKED", failed},
		"alg none":           {segment(map[string]string{"alg": "none"}) + "." + strings.Split(good, ".")[1] + ".", failed},
		"signature of other": {strings.Join(strings.Split(good, ".")[:2], ".") + ".LEAKED", failed},
		"newline in it":      {strings.Replace(good, ".", "\n.", 1), failed},
		"header injected":    {good + "\r\nX-Evil: LEAKED", failed},
		"query injected":     {good + "&RoleArn=arn:aws:iam::444455556666:role/admin", failed},
		"expired":            {podToken(t, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), failed},
		"another audience":   {podToken(t, map[string]any{"aud": "vault"}), failed},
		"another issuer":     {podToken(t, map[string]any{"iss": "https://evil.example"}), failed},
		"braces":             {podToken(t, claimsOf("{account}", "{region}{node}")), granted},
		"newlines":           {podToken(t, claimsOf("team\na", "app\r\n\x1b[31mx")), granted},
		"long names":         {podToken(t, claimsOf(strings.Repeat("n", 300), strings.Repeat("m", 300))), granted},
		"slashes":            {podToken(t, claimsOf("../..", "/etc/passwd")), granted},
		"node's name":        {podToken(t, map[string]any{"sub": "system:node:x"}), granted},
		"subject is a list":  {podToken(t, map[string]any{"sub": []string{"a"}}), failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newPodNode(t, "")
			if len(test.token) > 8 {
				n.secrets.add(test.token[len(test.token)-8:])
			}
			n.want(n.run(podRequest(test.token, podRole)), outcome{class: test.want, role: podRole, keep: time.Hour})
			for _, call := range n.aws.Calls() {
				if call.Role != podRole && call.Role != "" {
					t.Errorf("role %s was assumed", call.Role)
				}
			}
		})
	}
}

// claimsOf returns the claims that name a service account.
func claimsOf(namespace, name string) map[string]any {
	return map[string]any{
		"sub":           "system:serviceaccount:" + namespace + ":" + name,
		"kubernetes.io": map[string]any{"namespace": namespace, "serviceaccount": map[string]string{"name": name, "uid": "u"}},
	}
}

// TestPodsAreApart: a cached token serves only its own service account, even if
// everything else is the same.
func TestPodsAreApart(t *testing.T) {
	t.Parallel()
	n := newPodNode(t, "")
	n.want(n.run(podRequest(podToken(t, nil), podRole)), outcome{role: podRole})
	n.aws.World.SetRole(fakeaws.Role{ARN: podRole}) // the role no longer trusts anybody
	for name, change := range map[string]map[string]any{
		"another name":      claimsOf("team-a", "other"),
		"another namespace": claimsOf("team-b", "app"),
		"another UID":       {"kubernetes.io": map[string]any{"namespace": "team-a", "serviceaccount": map[string]string{"name": "app", "uid": "2"}}},
		"another issuer":    {"iss": "https://evil.example"},
		"another audience":  {"aud": []string{fakeaws.Audience, "vault"}},
		"no names":          {"kubernetes.io": nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := *n
			m.t = t
			m.want(m.run(podRequest(podToken(t, change), podRole)), outcome{class: failed})
		})
	}
	for name, request := range map[string]string{
		"no token":    requestOf(map[string]any{"image": image, "serviceAccountAnnotations": map[string]string{roleKey: podRole}}),
		"no role":     requestOf(map[string]any{"image": image, "serviceAccountToken": podToken(t, nil)}),
		"not allowed": podRequest(podToken(t, nil), strings.Replace(podRole, "pull-a", "admin", 1)),
		"v1beta1":     strings.Replace(podRequest(podToken(t, nil), podRole), "/v1", "/v1beta1", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := *n
			m.t = t
			m.want(m.run(request), outcome{class: failed})
		})
	}
}
