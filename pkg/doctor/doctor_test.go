package doctor

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
)

func text(t *testing.T, r *diagnosis.Report) string {
	t.Helper()
	var out bytes.Buffer
	w := diagnosis.NewText(&out, false)
	for _, c := range r.Checks {
		w.Check(c)
	}
	if err := w.End(r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestHealthyNode(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	report := n.examine()
	if !report.Success() {
		t.Error(text(t, report))
	}
	for _, c := range report.Checks {
		if c.Result != diagnosis.OK {
			t.Errorf("%s: %s %s", c.Kind.Code, c.Result, c.Detail)
		}
	}
	want := []string{
		"GET " + firstHost + "/v2/", "HEAD " + firstHost + "/v2/team-a/app/manifests/v1", "GET " + firstHost + "/v2/team-a/app/manifests/v1",
		"GET " + firstHost + "/v2/team-a/app/blobs/sha256:c0ffee", "GET " + bucket + "/c0ffee",
	}
	if diff := cmp.Diff(want, n.oci.requests()); diff != "" {
		t.Error(diff)
	}
}
