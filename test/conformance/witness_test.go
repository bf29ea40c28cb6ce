package conformance

import (
	"fmt"
	"strings"
	"testing"
)

// TestWitness: these kubelets drop a wrong answer. So if they accept the plugin's
// answers, the answers are right.
func TestWitness(t *testing.T) {
	t.Parallel()
	const good = `{"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderResponse",` +
		` "cacheKeyType": "Registry", "cacheDuration": "1h", "auth": {"` + first + `": {"username": "AWS", "password": "x"}}}`
	for _, r := range releases {
		for name, test := range map[string]struct {
			answer string
			taken  bool
		}{
			"as wanted":                {good, true},
			"an unknown field":         {strings.Replace(good, `"kind"`, `"expiresAt": "", "kind"`, 1), false},
			"an unknown field of auth": {strings.Replace(good, `"username"`, `"email": "", "username"`, 1), false},
			"another version":          {strings.Replace(good, "/v1", "/v1beta1", 1), false},
			"a duration in seconds":    {strings.Replace(good, `"1h"`, `3600`, 1), false},
			"no cacheKeyType":          {strings.Replace(good, `"Registry"`, `""`, 1), false},
			"text before it":           {"hello " + good, false},
		} {
			t.Run(r.version+" "+name, func(t *testing.T) {
				t.Parallel()
				node := installation{t.TempDir()}
				writeFile(t, node.path(stock), fmt.Sprintf("#!/bin/sh\necho '%s'\n", test.answer), 0o755)
				found, log, err := r.run(t, kubelet{
					Config:  node.configure(t, "providers.yaml", entry(t, stock, "v1", "")),
					BinDir:  node.dir,
					Lookups: []pod{{Image: first + "/a"}},
				}, nil)
				if err != nil {
					t.Fatalf("%v: %s", err, log)
				}
				if taken := len(found[0].Credentials) == 1; taken != test.taken || taken == (log != "") {
					t.Errorf("credentials: %v, log: %s; want credentials: %t", found[0].Credentials, log, test.taken)
				}
			})
		}
	}
}
