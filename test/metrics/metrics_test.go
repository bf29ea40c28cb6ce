// Package metrics_test proves that Prometheus can read the plugin's metrics. The
// parsers of Prometheus accept the metrics and the example alert rules. The rules use
// only metrics that exist.
package metrics_test

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/metrics"
)

// parsed returns a node's metrics, as Prometheus reads them.
func parsed(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	node := metrics.Node{Version: "a \"quoted\\\n version \xff", Now: now, Tokens: []cache.Info{{
		Request: cache.Request{Registry: "444455556666.dkr.ecr.eu-west-1.amazonaws.com", Identity: "the node", Renewable: true},
		State:   "fresh", Used: now, FreshUntil: now.Add(time.Hour), Expires: now.Add(12 * time.Hour),
	}}}
	node.Totals.Requests[0], node.Totals.Took[2], node.Totals.Took[13], node.Totals.Micros = 7, 5, 2, 1500
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(bytes.NewReader(node.Text()))
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// TestParsed: Prometheus gets types, help and values, and the names follow the
// conventions of Prometheus.
func TestParsed(t *testing.T) {
	t.Parallel()
	families := parsed(t)
	for name, f := range families {
		kind := f.GetType()
		if !strings.HasPrefix(name, "ecr_cross_account_") || f.GetHelp() == "" || kind == dto.MetricType_UNTYPED {
			t.Errorf("%s: got type %s and help %q", name, kind, f.GetHelp())
		}
		if strings.HasSuffix(name, "_total") != (kind == dto.MetricType_COUNTER) {
			t.Errorf("%s: got type %s; the names of all counters, and of nothing else, end in _total", name, kind)
		}
	}
	h := families["ecr_cross_account_request_duration_seconds"].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 7 || h.GetSampleSum() != 0.0015 || h.GetBucket()[2].GetCumulativeCount() != 5 {
		t.Errorf("got %v, want 7 requests in 0.0015 s, 5 of them in the third bucket", h)
	}
	g := families["ecr_cross_account_token_expires_in_seconds"].GetMetric()[0]
	if g.GetGauge().GetValue() != 43200 || g.GetLabel()[1].GetValue() != "444455556666.dkr.ecr.eu-west-1.amazonaws.com" && g.GetLabel()[0].GetValue() != "444455556666.dkr.ecr.eu-west-1.amazonaws.com" {
		t.Errorf("got %v, want 43200 with the registry as a label", g)
	}
	if version := families["ecr_cross_account_build_info"].GetMetric()[0].GetLabel()[0].GetValue(); version != "a \"quoted\\\n version ?" {
		t.Errorf("got version %q, want its invalid byte replaced by ?", version)
	}
}

// TestRules: Prometheus accepts the example rules, and every metric in them exists.
func TestRules(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../config-examples/prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	promql := parser.NewParser(parser.Options{})
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, promql, slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	families := parsed(t)
	for _, rule := range groups.Groups[0].Rules {
		expr, err := promql.ParseExpr(rule.Expr)
		if err != nil {
			t.Fatal(err)
		}
		for _, selectors := range parser.ExtractSelectors(expr) {
			for _, m := range selectors {
				name := strings.TrimSuffix(m.Value, "_bucket")
				if m.Name == model.MetricNameLabel && families[name] == nil && name != "node_textfile_mtime_seconds" {
					t.Errorf("%s: metric %s does not exist", rule.Alert, name)
				}
			}
		}
	}
}
