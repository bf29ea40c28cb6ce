package diagnosis

import "cmp"

// Verdict is the first cause: the failed check to repair before all others.
type Verdict struct {
	Check *Check
	Cause
	// Others counts the further failures that do not follow from this one.
	Others int
}

// Verdict returns the first cause, and false if nothing failed. Checks run in the
// order in which a pull needs things, and a check that follows from a failed one is
// skipped. So the first failure is a cause, and never a consequence.
func (r *Report) Verdict() (Verdict, bool) {
	first := r.first(Failed)
	if first == nil {
		return Verdict{}, false
	}
	v := Verdict{Check: first, Cause: first.Cause, Others: -1}
	v.Side = cmp.Or(v.Side, Unknown)
	for _, c := range r.Checks {
		if c.Result == Failed {
			v.Others++
		}
	}
	return v, true
}
