package diagnosis

import "cmp"

// Verdict names the first cause: the failed check to repair before all others.
type Verdict struct {
	Check *Check
	Cause
	// Others counts the other failures. They are independent of this one.
	Others int
}

// Verdict returns the first cause, or false if no check failed. A check that needs
// a failed one is skipped, so all failures are independent. Among several, Verdict
// chooses the one that a pull meets first.
func (r *Report) Verdict() (Verdict, bool) {
	v := Verdict{Others: -1}
	for _, c := range r.Checks {
		if c.Result != Failed {
			continue
		}
		v.Others++
		if v.Check == nil || c.Kind.Rank < v.Check.Kind.Rank {
			v.Check = c
		}
	}
	if v.Check == nil {
		return Verdict{}, false
	}
	v.Cause = v.Check.Cause
	v.Side = cmp.Or(v.Side, Unknown)
	return v, true
}
