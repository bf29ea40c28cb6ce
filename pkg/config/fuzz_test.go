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
			t.Errorf("%d problems of %d bytes", len(found), len(data))
		}
		for _, line := range problems(t, file, err) {
			if strings.ContainsFunc(line, unicode.IsControl) || len(line) > 2000 {
				t.Errorf("not one line of words: %q", line)
			}
		}
		if !reflect.DeepEqual(c, config.Config{}) {
			t.Errorf("a configuration beside the problems: %+v", c)
		}
	})
}

// checkConfig checks what is true of every configuration.
func checkConfig(t *testing.T, c config.Config, entries []rule.Entry) {
	t.Helper()
	if c.Unmatched.ServiceAccount != nil || len(c.Unmatched.Roles) > 0 {
		t.Errorf("what no entry matches has %+v", c.Unmatched)
	}
	if c.Deadline < config.MinDeadline || c.Deadline > config.MaxDeadline {
		t.Errorf("the deadline is %s", c.Deadline)
	}
	for _, e := range entries {
		a := e.Accounts
		switch {
		case e.Name == "":
			t.Error("an entry has no name")
		case len(a.Named) == 0 && !a.Own && !a.All:
			t.Errorf("%s is for no account", e.Name)
		case a.All && len(e.Roles) > 0 && len(a.Except) == 0 && !a.ExceptOwn:
			t.Errorf(`%s assumes roles under "*" and excepts nothing`, e.Name)
		case e.ServiceAccount != nil && e.NodeWhenRefused:
			t.Errorf("%s uses the node where a service account is refused", e.Name)
		case len(a.Named) > 1000 || len(a.Except) > 1000 || len(e.Regions) > 256 || len(e.Repositories) > 1000 || len(e.Roles) > 1000:
			t.Errorf("%s has a list that is too long", e.Name)
		}
		for i, role := range e.Roles {
			if a.All && (role.HasExternalID() || role.HasTags()) {
				t.Errorf(`%s has an external ID or tags under "*"`, e.Name)
			}
			if role.HasPolicy() && i < len(e.Roles)-1 {
				t.Errorf("%s narrows a role that asks for no token", e.Name)
			}
			if (i > 0 || e.ServiceAccount != nil) && role.Duration() > rule.MaxChainedDuration {
				t.Errorf("%s has a chained session of %s", e.Name, role.Duration())
			}
		}
		if s := e.ServiceAccount; s != nil && (s.AnyRole || len(s.AllowedRoles) == 0 || s.RoleAnnotation == "") {
			t.Errorf("%s lets service accounts start with anything: %+v", e.Name, *s)
		}
	}
}
