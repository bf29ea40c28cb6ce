package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// TestLoadBad loads every testdata/*.bad.yaml. The comments "# want: LINE: PATH:
// TEXT" list all the problems of the file, in the right order.
func TestLoadBad(t *testing.T) {
	t.Parallel()
	for _, name := range testdata(t, "*.bad.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			data := read(t, name)
			file := write(t, data)
			c, err := config.Load(file, nil)
			compare(t, problems(t, file, err), wants(t, data))
			if !reflect.DeepEqual(c, config.Config{}) {
				t.Errorf("got configuration %+v beside the problems, want none", c)
			}
		})
	}
}

// TestLoadGood loads every testdata/*.good.yaml. Its comments "# want: settings: …"
// and "# want: IMAGE: …" are the results, and "# want warning: LINE: PATH: TEXT"
// the warnings.
func TestLoadGood(t *testing.T) {
	t.Parallel()
	for _, name := range testdata(t, "*.good.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			data := read(t, name)
			file := write(t, data)
			c := checkLoaded(t, file, nil, wants(t, data))
			compare(t, lines(file, c.Warnings), comments(data, "# want warning: "))
		})
	}
}

// TestLoadOtherLineEnds: Windows line ends change neither the meaning nor the line
// numbers.
func TestLoadOtherLineEnds(t *testing.T) {
	t.Parallel()
	for _, name := range testdata(t, "*.yaml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			data := read(t, name)
			file := write(t, strings.ReplaceAll(data, "\n", "\r\n"))
			if strings.HasSuffix(name, ".good.yaml") {
				checkLoaded(t, file, nil, wants(t, data))
				return
			}
			_, err := config.Load(file, nil)
			compare(t, problems(t, file, err), wants(t, data))
		})
	}
}

func checkLoaded(t *testing.T, file string, roles []config.RoleFlag, want []string) config.Config {
	t.Helper()
	c, err := config.Load(file, roles)
	if err != nil {
		t.Fatal(err)
	}
	if c.File != file {
		t.Errorf("got File %q, want %q", c.File, file)
	}
	got := make([]string, len(want))
	for i, line := range want {
		what, _, _ := strings.Cut(line, ": ")
		got[i] = what + ": " + describe(t, c, what)
	}
	compare(t, got, want)
	return c
}

// describe returns what the configuration says about an image
// (account/region/name), or about the settings.
func describe(t *testing.T, c config.Config, what string) string {
	t.Helper()
	if what == "settings" {
		return settings(c)
	}
	image := parse(t, what)
	own, err := registry.ParseAccount("111122223333")
	if err != nil {
		t.Fatal(err)
	}
	entry := c.Rules.Match(image, own).Entry
	if entry == nil {
		return "none"
	}
	var roles []string
	if entry.ServiceAccount != nil {
		roles = append(roles, describeSource(t, *entry.ServiceAccount, image.Registry()))
	}
	for _, template := range entry.Roles {
		role, err := template.Resolve(image.Registry(), entry.Repositories, &rule.Pod{Namespace: "shop", ServiceAccount: "web"})
		if err != nil {
			t.Fatal(err)
		}
		parameters, err := role.Parameters(func() string { return "node-1" })
		if err != nil {
			t.Fatal(err)
		}
		roles = append(roles, describeRole(parameters))
	}
	if entry.NodeWhenRefused {
		roles = append(roles, "else the node")
	}
	return strings.TrimSpace(entry.Name + " " + strings.Join(roles, ", "))
}

func describeRole(role rule.Parameters) string {
	text := fmt.Sprintf("%s as %s for %s", role.ARN, role.SessionName, role.Duration)
	if role.ExternalID != "" {
		text += " with " + role.ExternalID
	}
	for _, tag := range role.Tags {
		text += fmt.Sprintf(" %s=%q", tag.Key, tag.Value)
	}
	switch {
	case strings.Contains(role.Policy, "ecr:CreateRepository"):
		text += " to pull through"
	case role.Policy != "":
		text += " to pull"
	}
	for _, resource := range strings.Split(role.Policy, ":repository/")[1:] {
		text += " " + resource[:strings.IndexByte(resource, '"')]
	}
	return text
}

// describeSource describes how a service account becomes the source.
func describeSource(t *testing.T, s rule.ServiceAccount, reg registry.Registry) string {
	t.Helper()
	text := fmt.Sprintf("by %s of %v", s.RoleAnnotation, s.AllowedRoles)
	switch arn, err := s.Role(reg, nil); {
	case err == nil:
		text += " or " + arn
	case !errors.Is(err, rule.ErrNoRole):
		t.Fatal(err)
	}
	if s.NodeWhenNoToken {
		text += ", the node without token"
	}
	if s.NodeWhenNoRole {
		text += ", the node without role"
	}
	if s.AnyRole {
		t.Error("got AnyRole from a file, want false")
	}
	return text
}

func settings(c config.Config) string {
	unmatched, sts := "Node", "Node"
	if c.UnmatchedNone {
		unmatched = "None"
	}
	if c.STSRegion.OfRegistry {
		sts = "Registry"
	}
	if !c.STSRegion.Fixed.IsZero() {
		sts = c.STSRegion.Fixed.String()
	}
	text := fmt.Sprintf("unmatched %s, sts %s, deadline %s", unmatched, sts, c.Deadline)
	if c.Node != (config.NodeSource{}) {
		text += fmt.Sprintf(", node %+v", c.Node)
	}
	if len(c.Endpoints.ECR)+len(c.Endpoints.STS) > 0 {
		text += fmt.Sprintf(", ecr %v, sts %v", c.Endpoints.ECR, c.Endpoints.STS)
	}
	for _, m := range c.Mirrors {
		text += fmt.Sprintf(", %s through %s/%s", m.Host(), m.Registry(), m.Prefix())
	}
	if c.Log != (config.Log{}) {
		text += ", log " + []string{"Journal", "Stderr", "None", c.Log.File}[c.Log.Destination]
	}
	return text
}

// parse parses account/region/repository.
func parse(t *testing.T, s string) registry.Image {
	t.Helper()
	parts := strings.SplitN(s, "/", 3)
	name := parts[0] + ".dkr.ecr." + parts[1] + ".amazonaws.com"
	if strings.HasPrefix(parts[1], "cn-") {
		name += ".cn"
	}
	image, ok := registry.Parse(name + "/" + parts[2])
	if !ok {
		t.Fatalf("%s: got %v, want an ECR image", s, registry.WhyNotECR(name+"/"+parts[2]))
	}
	return image
}

func testdata(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("got no testdata %s: %v", pattern, err)
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	// On Windows, a checkout may have other line ends.
	return strings.ReplaceAll(string(data), "\r\n", "\n")
}

// write makes a file that only its owner can write. The files of a checkout may be
// writable by a group.
func write(t testing.TB, data string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func wants(t *testing.T, data string) []string {
	t.Helper()
	want := comments(data, "# want: ")
	if len(want) == 0 {
		t.Fatal("got no comment # want: in the file, want at least one")
	}
	return want
}

// comments returns the rest of each line that has the prefix.
func comments(data, prefix string) (texts []string) {
	for line := range strings.Lines(data) {
		if text, ok := strings.CutPrefix(line, prefix); ok {
			texts = append(texts, strings.TrimSuffix(text, "\n"))
		}
	}
	return texts
}

// problems returns the error's problems, without the file's name.
func problems(t testing.TB, file string, err error) []string {
	t.Helper()
	var found config.Problems
	if !errors.As(err, &found) {
		t.Fatalf("got error %v, want problems", err)
	}
	return lines(file, found)
}

func lines(file string, found config.Problems) (lines []string) {
	for _, problem := range found {
		line := problem.String()
		if rest, ok := strings.CutPrefix(line, file+":"); ok {
			line = strings.TrimPrefix(rest, " ")
		}
		lines = append(lines, line)
	}
	return lines
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
