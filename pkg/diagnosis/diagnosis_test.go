package diagnosis

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func kind(code string) Kind { return Kind{Code: code, Group: "group", Title: "title " + code} }

// found returns a check that finds f.
func found(code string, f Finding, needs ...*Check) *Check {
	return &Check{Kind: kind(code), Needs: needs, Run: func(context.Context) Finding { return f }}
}

// unreachable is a check that must not run.
func unreachable(t *testing.T, code string, needs ...*Check) *Check {
	return &Check{Kind: kind(code), Needs: needs, Run: func(context.Context) Finding {
		t.Errorf("%s ran, want it skipped", code)
		return Fine("")
	}}
}

func TestDo(t *testing.T) {
	t.Parallel()
	var r Report
	var done []string
	r.Done = func(c *Check) { done = append(done, c.Kind.Code) }
	ctx := t.Context()
	fine := r.Do(ctx, found("A", Fine("")))
	warned := r.Do(ctx, found("B", Warn("old", "renew it"), fine))
	failed := r.Do(ctx, found("C", Fail(Node, "broken", "mend it"), fine, warned, nil))
	follows := r.Do(ctx, unreachable(t, "D", fine, failed))
	r.Do(ctx, unreachable(t, "E", follows))
	left := r.Do(ctx, found("F", Skip("needs root")))
	r.Do(ctx, unreachable(t, "G", left))
	r.Do(ctx, found("H", Fine(""), warned)) // a warning does not stop other checks
	var got []string
	for _, c := range r.Checks {
		got = append(got, c.Kind.Code+" "+string(c.Result)+" "+c.Detail)
	}
	want := []string{
		"A ok ", "B warning old", "C failed broken", "D skipped needs C, which failed", "E skipped needs C, which failed",
		"F skipped needs root", "G skipped needs F, which was skipped", "H ok ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(strings.Split("ABCDEFGH", ""), done); diff != "" {
		t.Error(diff)
	}
}

func TestDoWithoutTime(t *testing.T) {
	t.Parallel()
	var r Report
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c := r.Do(ctx, unreachable(t, "A")); c.Result != Skipped || c.Detail != "no time was left for it" {
		t.Errorf("got %s %q, want it skipped for lack of time", c.Result, c.Detail)
	}
}

func TestTextsAreOneLine(t *testing.T) {
	t.Parallel()
	var r Report
	c := found("A", Fail(Node, "two\nlines\x1b[31m", "do\rthis"))
	c.Subject, c.Image = "a\nb", strings.Repeat("x", 10*maxLine)
	r.Do(t.Context(), c)
	for _, text := range []string{c.Detail, c.Hint, c.Subject, c.Image} {
		if strings.ContainsAny(text, "\n\r\x1b") || len(text) > maxLine+len("…") {
			t.Errorf("got %q, want one line of at most %d bytes", text, maxLine)
		}
	}
}

// example is a report with every result.
func example(t *testing.T, done func(*Check)) *Report {
	r := &Report{Done: done}
	ctx := t.Context()
	r.Do(ctx, found("D01", Fine("as it should be")))
	r.Do(ctx, found("D02", Warn("it is old", "renew it")))
	missing := Fail(ImagesAccount, "AccessDenied: no <reason>", "add the statement")
	missing.Cause.Account = "444455556666"
	missing.Cause.Missing = &Missing{Kind: "trust-policy", AttachTo: "arn:aws:iam::444455556666:role/r", Statement: map[string]string{"Effect": "Allow"}}
	broken := r.Do(ctx, &Check{
		Kind: Kind{Code: "D03", Group: "aws", Title: "AssumeRole", PerImage: true}, Subject: "role", Image: "image:v1",
		Run: func(context.Context) Finding { return missing },
	})
	r.Do(ctx, &Check{Kind: Kind{Code: "D04", Group: "aws", Title: "token", PerImage: true}, Image: "image:v1", Needs: []*Check{broken}})
	r.Do(ctx, found("D05", Fail(Endpoint, "no route", "")))
	return r
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := example(t, nil).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	want := `{
  "success": false,
  "checks": [
    {
      "code": "D01",
      "group": "group",
      "description": "title D01",
      "result": "ok",
      "detail": "as it should be"
    },
    {
      "code": "D02",
      "group": "group",
      "description": "title D02",
      "result": "warning",
      "detail": "it is old",
      "hint": "renew it"
    },
    {
      "code": "D03",
      "group": "aws",
      "description": "AssumeRole: role",
      "result": "failed",
      "image": "image:v1",
      "detail": "AccessDenied: no <reason>",
      "hint": "add the statement"
    },
    {
      "code": "D04",
      "group": "aws",
      "description": "token",
      "result": "skipped",
      "image": "image:v1",
      "detail": "needs D03, which failed"
    },
    {
      "code": "D05",
      "group": "group",
      "description": "title D05",
      "result": "failed",
      "detail": "no route"
    }
  ],
  "verdict": {
    "cause": "D03",
    "side": "images-account",
    "account": "444455556666",
    "policy": "trust-policy",
    "attachTo": "arn:aws:iam::444455556666:role/r",
    "statement": {
      "Effect": "Allow"
    }
  }
}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	if err := new(Report).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("{\n  \"success\": true,\n  \"checks\": [],\n  \"verdict\": null\n}\n", out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	text := NewText(&out, false)
	if err := text.End(example(t, text.Check)); err != nil {
		t.Fatal(err)
	}
	want := `group
  ✓ D01 title D01 (as it should be)
  ! D02 title D02: it is old
        → renew it

aws, image:v1
  ✗ D03 AssumeRole: role: AccessDenied: no <reason>
        → add the statement
  - D04 token (needs D03, which failed)

group
  ✗ D05 title D05: no route

Verdict: D03 AssumeRole: role
  cause:   AccessDenied: no <reason>
  side:    the images' account
  account: 444455556666
  do:      add the statement
  others:  1 more failure that does not follow from it, marked ✗ above

Missing in the trust policy of arn:aws:iam::444455556666:role/r:
{
  "Effect": "Allow"
}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTextOfSuccess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		finding Finding
		want    string
	}{
		"fine":    {Fine(""), "\x1b[32m✓\x1b[0m A title A\n\nEverything is fine.\n"},
		"warning": {Warn("w", ""), "\x1b[33m!\x1b[0m A title A: w\n\nNo check failed. Read the warnings (!).\n"},
		"skipped": {Skip("left out"), "\x1b[2m-\x1b[0m A title A (left out)\n\nNo check failed, but some were skipped (-).\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			text := NewText(&out, true)
			r := &Report{Done: text.Check}
			r.Do(t.Context(), found("A", test.finding))
			if err := text.End(r); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("group\n  "+test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestTextReportsTheStream(t *testing.T) {
	t.Parallel()
	text := NewText(fullDisk{}, false)
	if err := text.End(example(t, text.Check)); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}

// TestVerdictByRank: the verdict is the failure with the lowest rank, even if its check
// ran later.
func TestVerdictByRank(t *testing.T) {
	t.Parallel()
	var r Report
	for _, c := range []struct {
		code string
		rank int
	}{{"A", 3}, {"B", 1}, {"C", 2}, {"D", 1}} {
		r.Do(t.Context(), &Check{Kind: Kind{Code: c.code, Rank: c.rank}, Run: func(context.Context) Finding { return Fail(Node, "", "") }})
	}
	if v, ok := r.Verdict(); !ok || v.Check.Kind.Code != "B" || v.Others != 3 {
		t.Errorf("got %+v, %t, want B with 3 others", v, ok)
	}
}
