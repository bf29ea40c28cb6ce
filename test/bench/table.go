//go:build unix

package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// quantile returns the value below which a given share of all values lies.
func quantile[T int64 | time.Duration](values []T, share float64) T {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	return values[min(int(share*float64(len(values))), len(values)-1)]
}

// of returns a quantile of one figure over the samples.
func of[T int64 | time.Duration](r *result, share float64, value func(sample) T) T {
	var values []T
	for _, s := range r.samples {
		values = append(values, value(s))
	}
	return quantile(values, share)
}

// undisturbed is the quantile on which a busy machine has the least effect.
const undisturbed = 0.1

func wall(s sample) time.Duration { return s.wall }
func cpu(s sample) time.Duration  { return s.cpu }
func resident(s sample) int64     { return s.resident }

// made returns the smallest and the largest number of calls to one service.
func (r *result) made(service func(calls) int) string {
	var counts []int
	for _, s := range r.samples {
		counts = append(counts, service(s.calls))
	}
	if least, most := slices.Min(counts), slices.Max(counts); least != most {
		return fmt.Sprintf("%d to %d", least, most)
	}
	return fmt.Sprint(counts[0])
}

// find returns the result of a program in a row, or nil if there is none.
func find(results []*result, name string, roundTrip time.Duration, program string) *result {
	for _, r := range results {
		if r.row.name == name && r.program.name == program && (r.roundTrip == roundTrip || r.row.near) {
			return r
		}
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// ratio returns the ratio of a quantile to that of another result. If there is no other
// result, it returns "".
func ratio[T int64 | time.Duration](a, b *result, share float64, value func(sample) T) string {
	if b == nil || b == a {
		return ""
	}
	return fmt.Sprintf("%.2f", float64(of(a, share, value))/float64(max(1, of(b, share, value))))
}

const header = `
| row | round trip | program | wall, p10 ms | median ms | p90 ms | CPU, median ms | peak resident, MB | IMDS | STS | ECR | wall ÷ stock | CPU ÷ stock | wall ÷ floor |
|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
`

// printTable prints all results, grouped by row.
func printTable(w io.Writer, results []*result, programs []program) {
	fmt.Fprint(w, header)
	floor := programs[len(programs)-1].name
	for _, row := range rows {
		for _, r := range results {
			if r.row.name != row.name {
				continue
			}
			stock := find(results, row.name, r.roundTrip, "stock plugin")
			fmt.Fprintf(w, "| %s | %s | %s | %.1f | %.1f | %.1f | %.1f | %.1f | %s | %s | %s | %s | %s | %s |\n",
				row.name, r.distance(), r.program.name,
				milliseconds(of(r, undisturbed, wall)), milliseconds(of(r, 0.5, wall)), milliseconds(of(r, 0.9, wall)), milliseconds(of(r, 0.5, cpu)), float64(of(r, 0.5, resident))/1e6,
				r.made(func(c calls) int { return c.imds }), r.made(func(c calls) int { return c.sts }), r.made(func(c calls) int { return c.ecr }),
				ratio(r, stock, 0.5, wall), ratio(r, stock, 0.5, cpu), ratio(r, find(results, row.name, r.roundTrip, floor), 0.5, wall))
		}
	}
}

func (r *result) distance() string {
	if r.row.near {
		return ""
	}
	return fmt.Sprintf("%d ms", r.roundTrip.Milliseconds())
}
