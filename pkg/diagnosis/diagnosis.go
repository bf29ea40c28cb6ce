// Package diagnosis runs checks and keeps their results. It writes them as text or
// JSON, and computes the verdict from them.
package diagnosis

import (
	"context"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// maxLine limits each text. Some texts come from outside.
const maxLine = 4000

// Kind is a kind of check. A kind has one code, which never changes its meaning.
type Kind struct {
	Code, Group string
	// Title says what is checked.
	Title string
	// Rank orders causes: the failure with the lowest rank must be repaired first.
	Rank int
	// PerImage marks checks that the text form shows under a title with their
	// image.
	PerImage bool
}

// Check is one thing to find out.
type Check struct {
	Kind Kind
	// Subject is what the check is about, such as a host or a role. It may be empty.
	Subject string
	// Image is the image that the check is for. It is empty if the check is for the
	// whole node.
	Image string
	// Needs are the checks that must succeed before this one can run. Nil checks
	// are ignored.
	Needs []*Check
	// Run makes the check.
	Run func(context.Context) Finding

	// Finding is what the check found. Do sets it.
	Finding
	blockedBy *Check
}

// Description says in a few words what is checked.
func (c *Check) Description() string {
	if c.Subject == "" {
		return c.Kind.Title
	}
	return c.Kind.Title + ": " + c.Subject
}

// Report holds the results of all checks so far, in order.
type Report struct {
	Checks []*Check
	// Done is called for each check after it has its result. It may be nil.
	Done func(*Check)
}

// Do runs a check and keeps its result. It skips a check that needs a failed or
// skipped one, and a check for which no time is left. Do returns the check.
func (r *Report) Do(ctx context.Context, c *Check) *Check {
	c.blockedBy = c.blocker()
	switch {
	case c.blockedBy != nil:
		c.Finding = Skip("needs " + c.blockedBy.reason())
	case ctx.Err() != nil:
		c.Finding = Skip("no time was left for it")
	default:
		c.Finding = c.Run(ctx)
	}
	c.Subject, c.Image = printable.Line(c.Subject, maxLine), printable.Line(c.Image, maxLine)
	c.Detail, c.Hint = printable.Line(c.Detail, maxLine), printable.Line(c.Hint, maxLine)
	r.Checks = append(r.Checks, c)
	if r.Done != nil {
		r.Done(c)
	}
	return c
}

// blocker returns the failed or skipped check that prevents this one from running, or
// nil if there is none.
func (c *Check) blocker() *Check {
	for _, need := range c.Needs {
		switch {
		case need == nil || need.Result == OK || need.Result == Warning:
		case need.blockedBy != nil:
			return need.blockedBy
		default:
			return need
		}
	}
	return nil
}

// reason says why checks that need this one cannot run.
func (c *Check) reason() string {
	if c.Result == Skipped {
		return c.Kind.Code + ", which was skipped"
	}
	return c.Kind.Code + ", which failed"
}

// Success reports whether no check failed.
func (r *Report) Success() bool { return r.first(Failed) == nil }

func (r *Report) first(result Result) *Check {
	for _, c := range r.Checks {
		if c.Result == result {
			return c
		}
	}
	return nil
}
