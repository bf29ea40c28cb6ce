package conformance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// outcome is the result of a kubelet's lookups.
type outcome struct {
	// as has a list for each lookup: the principals whose tokens the kubelet tries, in
	// order.
	as [][]string
	// runs counts the runs of plugins. They show what the kubelet cached.
	runs int
	// log is the kubelet's text about a plugin that failed. It is empty if the
	// kubelet logged no error.
	log string
}

// check lets a kubelet look up images, and compares the outcome.
func (r release) check(t *testing.T, node installation, aws *fakeaws.Server, k kubelet, want outcome) {
	t.Helper()
	found, log, err := r.run(t, k, aws.Env())
	if err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	if diff := cmp.Diff(want.as, principals(t, aws, found)); diff != "" {
		t.Errorf("principals of the kubelet's tokens (-want +got):\n%s\n%s", diff, log)
	}
	if runs := node.runs(t); runs != want.runs {
		t.Errorf("the plugin was run %d times, want %d", runs, want.runs)
	}
	switch {
	case want.log == "" && log != "":
		t.Errorf("the kubelet's log is %q, want none", log)
	case want.log != "" && (!strings.Contains(log, r.failed) || !strings.Contains(log, want.log)):
		t.Errorf("the kubelet's log is %q, want %q and %q in it", log, r.failed, want.log)
	}
}

// principals reads the tokens that the kubelet would offer.
func principals(t *testing.T, aws *fakeaws.Server, found []lookup) [][]string {
	t.Helper()
	var all [][]string
	for _, l := range found {
		var one []string
		for _, c := range l.Credentials {
			grant, err := aws.World.ReadToken(c.Password) // an expired token also has its principal
			if grant.Principal == "" || c.Username != "AWS" {
				t.Errorf("user %q, token: %v", c.Username, err)
			}
			one = append(one, grant.Principal)
		}
		all = append(all, one)
	}
	return all
}

func startAWS(t *testing.T) *fakeaws.Server {
	t.Helper()
	server, err := fakeaws.Start(fakeaws.ExampleWorld(), fakeaws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}
