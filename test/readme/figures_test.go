package readme_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

const results = "test/bench/RESULTS.md"

// figures maps texts of pages to the measured results from which they come.
var figures = []struct{ page, figure, from string }{
	{"README.md", "The binary is 13.4 MB", "| size: under 14.3 MB | 13.4 MB |"},
	{"README.md", "takes about 6 ms of CPU", "A warm request takes 6 ms of CPU"},
	{"README.md", "| 2 calls of STS and ECR | 60 calls |", "| 1 and 1; the stock plugin 30 and 30 |"},
	{"config-examples/OPERATIONS.md", "AssumeRole of the **nodes'** account: 600 a second", "just below\nthe quota of 600"},
	{"config-examples/OPERATIONS.md", "About 12,000 nodes a minute", "is reached at about 12,000 nodes a minute"},
	{"config-examples/OPERATIONS.md", "For 100,000 nodes, spread the boot over 10 min", "If the boot is\nspread over 10 min, no call is throttled"},
	{"config-examples/refresh/README.md", "within one minute, AWS throttles them for 12 min", "throttled for 12 min"},
	{"config-examples/refresh/README.md", "about 103 calls a second to STS and 34", "103 calls a\nsecond of AssumeRole, and 34"},
	{"config-examples/OPERATIONS.md", "images' account: 500 a second", "500 GetAuthorizationToken a second"},
	{"config-examples/OPERATIONS.md", "reduces that to a sixth", "reduces that to a sixth"},
}

// TestFigures: the figures on pages are the figures of the committed results.
func TestFigures(t *testing.T) {
	t.Parallel()
	measured := readPage(t, results).text
	for _, f := range figures {
		if text := readPage(t, f.page).text; !strings.Contains(text, f.figure) {
			t.Errorf("%s does not contain %q; if the page changed, correct this test", f.page, f.figure)
		}
		if !strings.Contains(measured, f.from) {
			t.Errorf("%s says %q, but %s does not contain %q", f.page, f.figure, results, f.from)
		}
	}
}

// TestSizing: the rows of the sizing table are rows of the simulation's table.
func TestSizing(t *testing.T) {
	t.Parallel()
	var simulated [][]string
	for _, row := range rows(readPage(t, results).text, `^\d+$`) {
		if len(row) > 8 { // nodes, plugin, AssumeRole, GetAuthorizationToken, throttled, …, the slowest within
			simulated = append(simulated, []string{row[0], row[1], row[2], row[3], row[4], row[7]})
		}
	}
	policies := map[string]string{
		"": "this plugin", "without the cache": "no cache, no jitter",
		"with refresh": "this plugin, refresh", "with refresh, within 10 min": "this plugin, refresh, boot spread over 10 min",
	}
	sizing := rows(readPage(t, "config-examples/OPERATIONS.md").text, `^\d+(, with.*)?$`)
	if len(sizing) < 3 {
		t.Fatalf("the sizing table has the rows %q, want at least 3", sizing)
	}
	for _, row := range sizing {
		nodes, how, _ := strings.Cut(row[0], ", ")
		plugin, ok := policies[how]
		if !ok {
			t.Errorf("no policy is called %q", how)
		}
		want := append([]string{nodes, plugin}, row[1:]...)
		if !slices.ContainsFunc(simulated, func(s []string) bool { return slices.Equal(s, want) }) {
			t.Errorf("%s does not have the row %q", results, want)
		}
	}
}

// rows returns the cells of the rows of tables whose first cell matches.
func rows(text, first string) (found [][]string) {
	match := regexp.MustCompile(first)
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) > 1 && match.MatchString(cells[0]) {
			found = append(found, cells)
		}
	}
	return found
}
