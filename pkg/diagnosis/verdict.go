package diagnosis

import "cmp"

// Verdict is the first cause: the failed check to repair before all others.
type Verdict struct {
	Check *Check
	Cause
	// Others counts the further failures that do not follow from this one.
	Others int
}

// Verdict returns the first cause, and false if nothing failed. A check that follows
// from a failed one is skipped, so no failure is a consequence of another. Of several
// the one counts that a pull meets first.
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
