package diagnosis

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Text writes a report for people, one check after the other.
type Text struct {
	w     io.Writer
	color bool
	title string
	err   error // the first error of w
}

// NewText returns a Text. With color, the symbols are colored.
func NewText(w io.Writer, color bool) *Text { return &Text{w: w, color: color} }

var symbols = map[Result]struct {
	symbol, color string
}{
	OK:      {"✓", "32"},
	Warning: {"!", "33"},
	Failed:  {"✗", "31"},
	Skipped: {"-", "2"},
}

// Check writes a line for a check, and one for its hint. It writes a title before
// the first check of a group.
func (t *Text) Check(c *Check) {
	if title := c.title(); title != t.title {
		if t.title != "" {
			t.print("\n")
		}
		t.title = title
		t.print("%s\n", title)
	}
	line := c.Description()
	if c.Detail != "" {
		line += " (" + c.Detail + ")"
	}
	if c.Result == Failed || c.Result == Warning {
		line = c.Description() + ": " + c.Detail
	}
	t.print("  %s %s %s\n", t.symbol(c.Result), c.Kind.Code, line)
	if c.Hint != "" {
		t.print("        → %s\n", c.Hint)
	}
}

// title returns the title of the check's group.
func (c *Check) title() string {
	if c.Kind.PerImage && c.Image != "" {
		return c.Kind.Group + ", " + c.Image
	}
	return c.Kind.Group
}

func (t *Text) symbol(result Result) string {
	s := symbols[result]
	if !t.color {
		return s.symbol
	}
	return "\x1b[" + s.color + "m" + s.symbol + "\x1b[0m"
}

// sides says in words who can repair a failure.
var sides = map[Side]string{
	Node:          "this node",
	NodesAccount:  "the nodes' account",
	ImagesAccount: "the images' account",
	Endpoint:      "the network of the nodes' account: a VPC endpoint, its policy, a route or a proxy",
	AWS:           "AWS",
	Unknown:       "unknown, because AWS gives no reason",
}

// End writes the verdict. It returns the first error of all writes.
func (t *Text) End(r *Report) error {
	v, failed := r.Verdict()
	switch {
	case !failed && r.first(Warning) != nil:
		t.print("\nNo check failed. Read the warnings (!).\n")
	case !failed && r.first(Skipped) != nil:
		t.print("\nNo check failed, but some were skipped (-).\n")
	case !failed:
		t.print("\nEverything is fine.\n")
	default:
		t.verdict(v)
	}
	return t.err
}

func (t *Text) verdict(v Verdict) {
	t.print("\nVerdict: %s %s\n", v.Check.Kind.Code, v.Check.Description())
	t.print("  cause:   %s\n", v.Check.Detail)
	t.print("  side:    %s\n", sides[v.Side])
	if v.Account != "" {
		t.print("  account: %s\n", v.Account)
	}
	if v.Check.Hint != "" {
		t.print("  do:      %s\n", v.Check.Hint)
	}
	switch {
	case v.Others == 1:
		t.print("  others:  1 more failure that does not follow from it, marked ✗ above\n")
	case v.Others > 1:
		t.print("  others:  %d more failures that do not follow from it, marked ✗ above\n", v.Others)
	}
	if m := v.Missing; m != nil {
		statement, err := json.MarshalIndent(m.Statement, "", "  ")
		if err != nil {
			t.err = err
		}
		missing := "Missing"
		if v.Side == Unknown {
			missing = "Most likely missing"
		}
		t.print("\n%s in the %s of %s:\n%s\n", missing, strings.ReplaceAll(m.Kind, "-", " "), m.AttachTo, statement)
	}
}

func (t *Text) print(format string, args ...any) {
	if _, err := fmt.Fprintf(t.w, format, args...); t.err == nil {
		t.err = err
	}
}
