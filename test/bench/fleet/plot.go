package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/template"
	"time"
)

// These are the plot's size and scales.
const (
	width, height = 720, 190 // of a panel
	shown         = 150 * time.Second
	mostCalls     = 100_000 // a second; the scale is logarithmic
)

// curve is a line in a panel. Points is the value for an SVG polyline.
type curve struct{ Name, Color, Points string }

type tick struct {
	At   float64
	Text string
}

type panel struct {
	Title  string
	Top    int
	Curves []curve
	Ticks  []tick
	Quota  float64 // 0 means none
}

// draw plots the first minutes of a fleet under two policies.
func draw(w io.Writer, good, bad result) error {
	calls := panel{Title: fmt.Sprintf("AssumeRole calls a second, %d nodes booting within a minute", good.nodes), Top: 30, Quota: byLog(stsQuota)}
	for n := 1; n <= mostCalls; n *= 10 {
		calls.Ticks = append(calls.Ticks, tick{byLog(n), fmt.Sprint(n)})
	}
	ready := panel{Title: "nodes that have all of their images", Top: 30 + height + 60}
	for percent := 0; percent <= 100; percent += 25 {
		ready.Ticks = append(ready.Ticks, tick{height * (1 - float64(percent)/100), fmt.Sprintf("%d %%", percent)})
	}
	for i, r := range []result{good, bad} {
		color := [...]string{"#0a7", "#c33"}[i]
		calls.Curves = append(calls.Curves, curve{r.policy, color, r.callsCurve()})
		ready.Curves = append(ready.Curves, curve{r.policy, color, r.readyCurve()})
	}
	return plot.Execute(w, map[string]any{"Panels": []panel{calls, ready}, "Times": times(), "Width": width, "Height": height})
}

func times() []tick {
	var all []tick
	for t := time.Duration(0); t <= shown; t += 30 * time.Second {
		all = append(all, tick{byTime(t), fmt.Sprintf("%.0f s", t.Seconds())})
	}
	return all
}

func byTime(t time.Duration) float64 { return width * t.Seconds() / shown.Seconds() }

// byLog returns the vertical position of a number of calls. Zero has the same position
// as one, at the bottom.
func byLog(n int) float64 {
	return height * (1 - math.Log10(float64(max(1, n)))/math.Log10(mostCalls))
}

func (r result) callsCurve() string {
	var s strings.Builder
	for second := range int(shown / time.Second) {
		n := 0
		if second < len(r.boot) {
			n = r.boot[second]
		}
		fmt.Fprintf(&s, "%.1f,%.1f ", byTime(time.Duration(second)*time.Second), byLog(n))
	}
	return s.String()
}

func (r result) readyCurve() string {
	var s strings.Builder
	ready := 0
	for t := time.Duration(0); t <= shown; t += time.Second {
		for ready < len(r.done) && r.done[ready] <= t {
			ready++
		}
		fmt.Fprintf(&s, "%.1f,%.1f ", byTime(t), height*(1-float64(ready)/float64(r.nodes)))
	}
	return s.String()
}

var plot = template.Must(template.New("plot").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 520" font-family="sans-serif" font-size="12">
<rect width="820" height="520" fill="#fff"/>
{{- range $n, $panel := .Panels}}
<g transform="translate(70,{{.Top}})">
<text x="0" y="-12" font-weight="bold">{{.Title}}</text>
{{- range .Ticks}}
<path d="M0 {{printf "%.1f" .At}}H{{$.Width}}" stroke="#ddd"/><text x="-8" y="{{printf "%.1f" .At}}" dy="4" text-anchor="end">{{.Text}}</text>
{{- end}}
{{- range $.Times}}
<text x="{{printf "%.1f" .At}}" y="{{$.Height}}" dy="18" text-anchor="middle">{{.Text}}</text>
{{- end}}
{{- if .Quota}}
<path d="M0 {{printf "%.1f" .Quota}}H{{$.Width}}" stroke="#555" stroke-dasharray="6 4"/><text x="{{$.Width}}" y="{{printf "%.1f" .Quota}}" dy="-4" text-anchor="end" fill="#555">quota</text>
{{- end}}
{{- range $i, $curve := .Curves}}
<polyline fill="none" stroke="{{.Color}}" stroke-width="2" points="{{.Points}}"/>
<text x="{{$.Width}}" y="{{if $n}}140{{else}}12{{end}}" dy="{{if $i}}18{{else}}0{{end}}" dx="-8" text-anchor="end" fill="{{.Color}}">{{.Name}}</text>
{{- end}}
</g>
{{- end}}
</svg>
`))
