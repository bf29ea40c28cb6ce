package config_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// TestSourceReader: text from a Reader has the same problems as a file. The
// messages use the given name.
func TestSourceReader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		reader io.Reader
		want   []string
	}{
		{"good", strings.NewReader(good), nil},
		{"in small pieces", iotest.OneByteReader(strings.NewReader(good)), nil},
		{"a problem", strings.NewReader(good + "deadline: x\n"), []string{`5: deadline: "x" is not a duration; want one such as 20s, 15m or 1h`}},
		{"nothing", strings.NewReader(""), []string{"empty; want at least apiVersion, kind and registries"}},
		{"endless", endless{}, []string{"larger than 1048576 bytes; this is probably not the configuration"}},
		{"broken", iotest.ErrReader(errors.New("broken pipe")), []string{"cannot be read: broken pipe"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := config.Source{Path: "stdin", Reader: test.reader}.Load(nil)
			if test.want != nil {
				compare(t, problems(t, "stdin", err), test.want)
				return
			}
			if err != nil || c.File != "stdin" || describe(t, c, "444455556666/eu-west-1/app") != "registries[0]" {
				t.Errorf("got %+v, %v; want the entry registries[0] of stdin", c, err)
			}
		})
	}
}

// endless is a reader without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	return len(p), nil
}

// TestSourceAnyOwner: with AnyOwner, Load accepts a file that others can write.
func TestSourceAnyOwner(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := (config.Source{Path: file, AnyOwner: true}).Load(nil); err != nil {
		t.Error(err)
	}
}

// TestEntryLine: an entry has the line of its item, even if its first value is an
// alias.
func TestEntryLine(t *testing.T) {
	t.Parallel()
	c := load(t, good+`- # a comment
  accounts: &accounts ["111122223333"]
  regions: [us-*]
- {accounts: *accounts,
   regions: [eu-*]}
`, "777788889999="+pull)
	want := map[string]int{
		"444455556666/eu-west-1/app": 4, "111122223333/us-east-1/app": 6, "111122223333/eu-west-1/app": 8, "777788889999/eu-west-1/app": 0,
	}
	for image, line := range want {
		if e := c.Rules.Match(parse(t, image), registry.Account{}).Entry; e == nil || e.Line != line {
			t.Errorf("%s: got %+v, want line %d", image, e, line)
		}
	}
	if line := config.Default().Unmatched.Line; line != 0 {
		t.Errorf("got line %d for the default, want 0", line)
	}
}

func TestWarningsOfRoleFlags(t *testing.T) {
	t.Parallel()
	c := load(t, "", "444455556666="+pull, "777788889999="+pull, "111122223333=arn:aws:iam::{account}:role/x")
	compare(t, lines("", c.Warnings), []string{
		"--role 777788889999: account 444455556666 of the role that requests the token is not one of this entry's accounts; repository policies must then allow that account",
	})
}

func TestProblemJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(config.Problem{File: "c.yaml", Line: 9, Path: "registries[0].accounts", Message: "is required"})
	if want := `{"file":"c.yaml","line":9,"path":"registries[0].accounts","message":"is required"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
