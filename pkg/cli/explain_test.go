package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

// explainLine is a row of explain's table.
func explainLine(t *testing.T, out, label string) string {
	t.Helper()
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, label+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("got no line %q in\n%s", label, out)
	return ""
}

// TestExplainOfAnExceptedAccount: two equal cases are shown as one.
func TestExplainOfAnExceptedAccount(t *testing.T) {
	t.Parallel()
	const wild = "registries:\n- accounts: [\"*\"]\n  exceptAccounts: [own, \"602401143452\"]\n  assumeRoles: [{arn: \"arn:{partition}:iam::{account}:role/x\"}]\n"
	for account, cases := range map[string]int{"602401143452": 1, "444455556666": 2} {
		got := runMain(t, nil, "--config", writeConfig(t, wild), "explain", account+".dkr.ecr.eu-west-1.amazonaws.com/app")
		if n := strings.Count("\n"+got.stdout, "\nentry "); got.status != 0 || n != cases {
			t.Errorf("%s: %d cases, want %d:\n%s%s", account, n, cases, got.stdout, got.stderr)
		}
	}
}

// TestExplainSTS: explain shows the STS host of the real call, also for FIPS
// registries and other partitions.
func TestExplainSTS(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ image, region, want string }{
		"the registry's, fixed":    {"444455556666.dkr.ecr.eu-west-1.amazonaws.com/x", "Registry", "sts.eu-west-1.amazonaws.com"},
		"fixed":                    {"444455556666.dkr.ecr.eu-west-1.amazonaws.com/x", "us-west-2", "sts.us-west-2.amazonaws.com"},
		"FIPS":                     {"444455556666.dkr.ecr-fips.us-east-2.amazonaws.com/x", "Registry", "sts-fips.us-east-2.amazonaws.com"},
		"China":                    {"444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/x", "Registry", "sts.cn-north-1.amazonaws.com.cn"},
		"China from elsewhere":     {"444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/x", "eu-west-1", "STS would be called in eu-west-1 of partition aws"},
		"FIPS without an endpoint": {"444455556666.dkr.ecr-fips.eu-west-1.amazonaws.com/x", "Registry", "STS has none in eu-west-1"},
		"unknown":                  {"444455556666.dkr.ecr.eu-west-1.amazonaws.com/x", "Node", "STS of the node's region (from IMDS)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := writeConfig(t, "registries:\n- accounts: [\"444455556666\"]\n  assumeRoles: [{arn: \"arn:{partition}:iam::{account}:role/x\"}]\nsts: {region: "+test.region+"}\n")
			got := runMain(t, nil, "--config", config, "explain", test.image)
			if got.status != 0 || !strings.Contains(got.stdout, test.want) {
				t.Errorf("want %s, got\n%s%s", test.want, got.stdout, got.stderr)
			}
		})
	}
}

func TestExplainJSON(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "registries:\n- accounts: [\"777788889999\"]\n- accounts: [\"444455556666\"]\n  repositories: [a/]\n  assumeRoles: [{arn: \"arn:aws:iam::444455556666:role/x\"}]\nsts: {region: Registry}\n")
	got := runMain(t, nil, "--config", config, "explain", "--output", "json", "444455556666.dkr.ecr.eu-west-1.amazonaws.com/a/b")
	var e struct {
		Image, Entry string
		Line         int
		Plan         struct{ AssumeRoles []struct{ ARN string } }
		Calls        []string
		Response     struct{ CacheKeyType, AuthKey string }
	}
	if err := json.Unmarshal([]byte(got.stdout), &e); err != nil || got.status != 0 {
		t.Fatalf("got %+v, error %v; want JSON", got, err)
	}
	if e.Entry != "registries[1]" || e.Line != 5 || len(e.Plan.AssumeRoles) != 1 || e.Response.CacheKeyType != "Image" ||
		e.Response.AuthKey != "444455556666.dkr.ecr.eu-west-1.amazonaws.com/a/b" ||
		strings.Join(e.Calls, " ") != "sts.eu-west-1.amazonaws.com api.ecr.eu-west-1.amazonaws.com" {
		t.Errorf("got %+v; want registries[1] in line 5, with one role", e)
	}
	if got = runMain(t, nil, "explain", "--output", "json", "docker.io/library/nginx"); !strings.Contains(got.stdout, `"calls": []`) {
		t.Errorf("got %+v; want a list of no calls", got)
	}
	if got = runMain(t, nil, "explain", "--output", "yaml", "x/y"); got.status != 2 || !strings.Contains(got.stderr, `"yaml" is not text or json`) {
		t.Errorf("got %+v; want a usage error", got)
	}
}

// TestExplainJSONNeedsTheOwnAccount: if the entry depends on the node's own account, and
// that is not given, the error names the flag --own.
func TestExplainJSONNeedsTheOwnAccount(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, "registries: [{accounts: [own]}]\n")
	args := []string{"--config", config, "explain", "--output", "json", "444455556666.dkr.ecr.eu-west-1.amazonaws.com/x"}
	if got := runMain(t, nil, args...); got.status != 2 || !strings.Contains(got.stderr, "--own ACCOUNT") {
		t.Errorf("got %+v; want a usage error that names --own", got)
	}
	args = append(args[:3], append([]string{"--own", "444455556666"}, args[3:]...)...)
	if got := runMain(t, nil, args...); got.status != 0 || !strings.Contains(got.stdout, `"entry": "registries[0]"`) {
		t.Errorf("got %+v; want registries[0]", got)
	}
}

func TestExplainNotECR(t *testing.T) {
	t.Parallel()
	got := runMain(t, nil, "explain", "44445555666.dkr.ecr.us-east-1.amazonaws.com/app")
	if line := explainLine(t, got.stdout, "registry"); line != `not Amazon ECR: "44445555666" is not an account number; want 12 digits` {
		t.Errorf("got %s; want the reason why it is not in ECR", line)
	}
	if line := explainLine(t, got.stdout, "response"); !strings.HasPrefix(line, "no credentials, and no call to AWS") {
		t.Errorf("got %s; want no credentials", line)
	}
}

// TestExplainColors: only a terminal gets colors, unless NO_COLOR is set.
func TestExplainColors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		terminal bool
		noColor  string
		want     bool
	}{
		"a pipe":                   {false, "", false},
		"a terminal":               {true, "", true},
		"a terminal with NO_COLOR": {true, "1", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := runMain(t, func(p *Process) {
				p.StdoutTerminal = test.terminal
				p.Getenv = func(name string) string { return map[string]string{"NO_COLOR": test.noColor}[name] }
			}, "--role", "444455556666=arn:aws:iam::444455556666:role/x", "explain", "444455556666.dkr.ecr.eu-west-1.amazonaws.com/x")
			if colored := strings.Contains(got.stdout, "\x1b[1mentry\x1b[0m "); got.status != 0 || colored != test.want || strings.Contains(got.stdout, "\x1b") != test.want {
				t.Errorf("got %+v; want colors: %t", got, test.want)
			}
		})
	}
}
