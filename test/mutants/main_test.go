package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestPlay: a break is found if the tests fail. play always restores the file.
func TestPlay(t *testing.T) {
	t.Parallel()
	const text = "if a != b {"
	for name, test := range map[string]struct {
		old         string
		pass        bool
		found, fail bool
	}{
		"found":     {"a != b", false, true, false},
		"survives":  {"a != b", true, false, false},
		"ambiguous": {" ", false, false, true},
		"moved":     {"c", false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "x.go")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var broken string
			found, err := mutant{"x.go", test.old, "true", []string{"."}}.play(t.Context(), dir, func(context.Context, string, []string) (bool, error) {
				now, err := os.ReadFile(file)
				broken = string(now)
				return test.pass, err
			})
			if found != test.found || (err != nil) != test.fail {
				t.Errorf("found %t, %v, want %t, an error: %t", found, err, test.found, test.fail)
			}
			if want := "if true {"; !test.fail && broken != want {
				t.Errorf("tests saw %q, want %q", broken, want)
			}
			if now, err := os.ReadFile(file); string(now) != text || err != nil {
				t.Errorf("afterwards the file has %q, %v, want %q", now, err, text)
			}
		})
	}
}

// TestMutants: the code contains the text of each break exactly once.
func TestMutants(t *testing.T) {
	t.Parallel()
	for _, m := range mutants {
		dir := t.TempDir()
		text, err := os.ReadFile(filepath.Join("../..", m.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, m.file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, m.file), text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := m.play(t.Context(), dir, func(context.Context, string, []string) (bool, error) { return true, nil }); err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
}
