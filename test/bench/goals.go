//go:build unix

package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// printGoals prints the figures for the project's goals.
func printGoals(w io.Writer, results []*result) {
	fmt.Fprint(w, "\n| goal | round trip | measured |\n|---|---:|---|\n")
	for _, roundTrip := range distances(results) {
		at := func(name, program string) *result { return find(results, name, roundTrip, program) }
		line := func(goal string, a, b *result, say func(a, b *result) string) {
			if a != nil && b != nil {
				fmt.Fprintf(w, "| %s | %d ms | %s |\n", goal, roundTrip.Milliseconds(), say(a, b))
			}
		}
		line("cold, own account: never more than stock", at(coldOwn, "this plugin"), at(coldOwn, "stock plugin"), times)
		line("cold, other account: at most one round trip more than stock's own account", at(coldOther, "this plugin"), at(coldOwn, "stock plugin"), more(roundTrip))
		line("warm: at most 0.9 × stock's start-up", at(warmOther, "this plugin"), at(startUp, "stock plugin"), times)
		line("burst: 1 AssumeRole, 1 GetAuthorizationToken", at(burstOther, "this plugin"), at(burstOther, "stock plugin"), asked)
		line("memory: under stock's", at(coldOther, "this plugin"), at(coldOther, "stock plugin"), peak)
	}
}

func distances(results []*result) []time.Duration {
	var all []time.Duration
	for _, r := range results {
		all = append(all, r.roundTrip)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func times(a, b *result) string {
	return fmt.Sprintf("%s × (p10 %s ×, CPU %s ×)", ratio(a, b, 0.5, wall), ratio(a, b, undisturbed, wall), ratio(a, b, 0.5, cpu))
}

// more returns a difference in ms, and in round trips if their time is not zero.
func more(roundTrip time.Duration) func(a, b *result) string {
	return func(a, b *result) string {
		var said []string
		for _, share := range []float64{0.5, undisturbed} {
			d := of(a, share, wall) - of(b, share, wall)
			text := fmt.Sprintf("%+.1f ms", milliseconds(d))
			if roundTrip > 0 {
				text += fmt.Sprintf(" = %+.2f round trips", float64(d)/float64(roundTrip))
			}
			said = append(said, text)
		}
		return fmt.Sprintf("%s (p10 %s)", said[0], said[1])
	}
}

func asked(a, b *result) string {
	sts, ecr := func(c calls) int { return c.sts }, func(c calls) int { return c.ecr }
	return fmt.Sprintf("%s and %s; stock %s and %s", a.made(sts), a.made(ecr), b.made(sts), b.made(ecr))
}

func peak(a, b *result) string {
	return fmt.Sprintf("%.1f MB; stock %.1f MB", float64(of(a, 0.5, resident))/1e6, float64(of(b, 0.5, resident))/1e6)
}
