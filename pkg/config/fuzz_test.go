package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// FuzzLoad: for any file and --role, Load returns a configuration, or problems of
// one line each.
func FuzzLoad(f *testing.F) {
	names, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data), "444455556666=arn:aws:iam::444455556666:role/ecr-pull")
	}
	f.Add(good, "x")
	f.Fuzz(func(t *testing.T, data, role string) {
		file := write(t, data)
		c, err := config.Load(file, []config.RoleFlag{config.RoleFlag(role)})
		if err == nil {
			checkConfig(t, c, config.Entries(file))
			return
		}
		var found config.Problems
		if !errors.As(err, &found) || len(found) == 0 {
			t.Fatalf("got error %v, want problems", err)
		}
		if len(found) > len(data)+100 {
			t.Errorf("got %d problems for %d bytes, want at most one for each byte, plus 100", len(found), len(data))
		}
		for _, line := range problems(t, file, err) {
			if strings.ContainsFunc(line, unicode.IsControl) || len(line) > 2000 {
				t.Errorf("got %q, want one line without control characters", line)
			}
		}
		if !reflect.DeepEqual(c, config.Config{}) {
			t.Errorf("got configuration %+v beside the problems, want none", c)
		}
	})
}

// checkConfig checks rules that hold for every configuration.
func checkConfig(t *testing.T, c config.Config, entries []rule.Entry) {
	t.Helper()
	if c.Unmatched.ServiceAccount != nil || len(c.Unmatched.Roles) > 0 {
		t.Errorf("got unmatched %+v, want no service account and no roles", c.Unmatched)
	}
	if c.Deadline < config.MinDeadline || c.Deadline > config.MaxDeadline {
		t.Errorf("got deadline %s, want %s to %s", c.Deadline, config.MinDeadline, config.MaxDeadline)
	}
	for _, e := range entries {
		a := e.Accounts
		switch {
		case e.Name == "":
			t.Error("got an entry without a name")
		case len(a.Named) == 0 && !a.Own && !a.All:
			t.Errorf("got %s without accounts", e.Name)
		case a.All && len(e.Roles) > 0 && len(a.Except) == 0 && !a.ExceptOwn:
			t.Errorf(`got %s with roles under "*" and without exceptAccounts`, e.Name)
		case e.ServiceAccount != nil && e.NodeWhenRefused:
			t.Errorf("got %s with whenRefused: Node and a service account", e.Name)
		case len(a.Named) > 1000 || len(a.Except) > 1000 || len(e.Regions) > 256 || len(e.Repositories) > 1000 || len(e.Roles) > 1000:
			t.Errorf("got %s with a list above its limit", e.Name)
		}
		for i, role := range e.Roles {
			if a.All && (role.HasExternalID() || role.HasTags()) {
				t.Errorf(`got %s with an external ID or tags under "*"`, e.Name)
			}
			if role.HasPolicy() && i < len(e.Roles)-1 {
				t.Errorf("got %s with a session policy before the last role", e.Name)
			}
			if (i > 0 || e.ServiceAccount != nil) && role.Duration() > rule.MaxChainedDuration {
				t.Errorf("got %s with a chained session of %s, want at most %s", e.Name, role.Duration(), rule.MaxChainedDuration)
			}
		}
		if s := e.ServiceAccount; s != nil && (s.AnyRole || len(s.AllowedRoles) == 0 || s.RoleAnnotation == "") {
			t.Errorf("got %s without limits for service accounts: %+v", e.Name, *s)
		}
	}
}
