//go:build linux

package attacks_test

import (
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestRequests: a request that no kubelet would send fails without a call to AWS. The
// error is one short and printable line, without the request's secrets.
func TestRequests(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	good := request(image)
	with := func(fields string) string { return strings.TrimSuffix(good, "}") + "," + fields + "}" }
	as := func(name, value string) string {
		return strings.Replace(good, `"`+name+`":`, `"`+name+`":`+value+`,"x":`, 1)
	}
	for name, stdin := range map[string]string{
		"nothing":                  "",
		"white space":              " \n\t",
		"null":                     "null",
		"array":                    "[" + good + "]",
		"string":                   `"` + image + `"`,
		"number":                   "1e999",
		"broken off":               good[:len(good)-1],
		"two documents":            good + good,
		"two documents in lines":   good + "\n" + good,
		"text after it":            good + "x",
		"byte order mark":          "\ufeff" + good,
		"UTF-16":                   "\xff\xfe{\x00}\x00",
		"NUL after it":             good + "\x00",
		"NUL in it":                strings.Replace(good, ",", ",\x00", 1),
		"newline in a string":      strings.Replace(good, "team-a", "team\n-a", 1),
		"YAML":                     "apiVersion: credentialprovider.kubelet.k8s.io/v1\nkind: CredentialProviderRequest\nimage: " + image,
		"comment":                  "/* */" + good,
		"comma last":               strings.TrimSuffix(good, "}") + ",}",
		"1 MiB of braces":          strings.Repeat("{", 1<<20),
		"1 MiB of brackets":        strings.Repeat("[", 1<<20),
		"deep value":               with(`"deep":` + strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)),
		"larger than 1 MiB":        good + strings.Repeat(" ", 1<<20),
		"2 MiB of a field":         with(`"x":"` + strings.Repeat("x", 2<<20) + `"`),
		"no image":                 requestOf(nil),
		"empty image":              request(""),
		"image is null":            as("image", "null"),
		"image is a number":        as("image", "1"),
		"image is a list":          as("image", "[]"),
		"image is an object":       as("image", `{"a":"b"}`),
		"kind is missing":          strings.Replace(good, "kind", "kinds", 1),
		"response":                 strings.Replace(good, "CredentialProviderRequest", "CredentialProviderResponse", 1),
		"kind in lower case":       strings.Replace(good, "CredentialProviderRequest", "credentialproviderrequest", 1),
		"kind of 100 KB":           strings.Replace(good, "CredentialProviderRequest", strings.Repeat("K", 100<<10), 1),
		"kind with escapes":        strings.Replace(good, "CredentialProviderRequest", `\u001b[31m\r\n\u0000\u202e`, 1),
		"duplicate kind":           with(`"kind":"Other"`),
		"no version":               strings.Replace(good, "apiVersion", "version", 1),
		"version 2":                strings.Replace(good, "/v1", "/v2", 1),
		"version of another group": strings.Replace(good, "credentialprovider.", "evil.", 1),
		"version with a newline":   strings.Replace(good, "/v1", `/v1\n`, 1),
		"duplicate version":        with(`"apiVersion":"v0"`),
		"token is a number":        with(`"serviceAccountToken":1`),
		"token is an object":       with(`"serviceAccountToken":{"LEAKED":"LEAKED"}`),
		"annotations are a list":   with(`"serviceAccountAnnotations":["LEAKED"]`),
		"annotation is a number":   with(`"serviceAccountAnnotations":{"LEAKED":1}`),
		"secret in broken JSON":    `{"serviceAccountToken":"LEAKED`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := *n
			m.t = t
			m.want(m.run(stdin), outcome{class: failed})
		})
	}
	t.Cleanup(func() { n.wantCalls(0) })
}

// TestOddRequests: a request of a newer kubelet gets the token of its image, and so
// does a request in unusual JSON that encoding/json accepts. If a request has two
// images, the last one counts.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume+"unmatched: None\n")
	good := request(image)
	with := func(fields string) string { return strings.TrimSuffix(good, "}") + "," + fields + "}" }
	for name, test := range map[string]struct {
		stdin string
		want  outcome
	}{
		"v1beta1":               {strings.Replace(good, "/v1", "/v1beta1", 1), outcome{}},
		"v1alpha1":              {strings.Replace(good, "/v1", "/v1alpha1", 1), outcome{}},
		"unknown field":         {with(`"new":{"LEAKED":[1,2]}`), outcome{}},
		"white space":           {"\r\n\t " + good + " \n", outcome{}},
		"names in capitals":     {strings.Replace(good, `"image"`, `"IMAGE"`, 1), outcome{}},
		"1 MB of spaces":        {good + strings.Repeat(" ", 1<<20-len(good)), outcome{}},
		"escaped letters":       {strings.Replace(good, "team-a", `te\u0061m-a`, 1), outcome{}},
		"duplicate image":       {with(`"image":"nginx"`), outcome{class: empty}},
		"duplicate in capitals": {with(`"Image":"nginx"`), outcome{class: empty}},
		"image is not UTF-8":    {strings.Replace(good, "team-a", "team-\xff", 1), outcome{class: empty}},
		"lone surrogate":        {strings.Replace(good, "team-a", `team-\ud800`, 1), outcome{class: empty}},
		"prototype":             {with(`"__proto__":{"image":"x"}`), outcome{}},
		"token without source":  {with(`"serviceAccountToken":"LEAKED"`), outcome{}},
		"9,999 deep":            {with(`"deep":` + strings.Repeat("[", 9_990) + strings.Repeat("]", 9_990)), outcome{}},
		"100,000 annotations":   {with(`"serviceAccountAnnotations":{` + strings.Repeat(`"a":"b",`, 99_999) + `"a":"b"}`), outcome{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := *n
			m.t = t
			m.want(m.run(test.stdin), test.want)
		})
	}
	t.Cleanup(func() { n.wantCalls(1, fakeaws.STS) })
}

// TestArguments: a wrong command line is a usage error, and stdout stays empty.
func TestArguments(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"unknown flag":        {"--evil"},
		"unknown command":     {"evil\n\x1b[31m"},
		"100 KB":              {strings.Repeat("a", 100<<10)},
		"repeated --config":   {"--config", "/nonexistent/a", "--config", "/nonexistent/b"},
		"config is empty":     {"--config", ""},
		"config is a flag":    {"--config", "--role"},
		"role without =":      {"--role", "444455556666"},
		"role of a user":      {"--role", "777788889999=arn:aws:iam::777788889999:user/x"},
		"role, then newline":  {"--role", "777788889999=arn:aws:iam::777788889999:role/x\n"},
		"account of the file": {"--role", "444455556666=" + pullRole}, // the file also names the account
		"role for star":       {"--role", "*=arn:aws:iam::777788889999:role/x"},
		"command, argument":   {"get-credentials", "image"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.want(n.run(request(image), args...), outcome{class: misconfigured})
			n.wantCalls(0)
		})
	}
}
