package command

import (
	"regexp"
	"runtime/debug"
	"testing"
)

// TestRelease: the version has the form that packages require.
func TestRelease(t *testing.T) {
	t.Parallel()
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(Release()) {
		t.Errorf("got %q in VERSION; want a version such as v0.1.0", Release())
	}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	commit := []debug.BuildSetting{
		{Key: "-trimpath", Value: "true"}, {Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2030-05-01T10:00:00Z"},
	}
	for name, test := range map[string]struct {
		settings []debug.BuildSetting
		want     Build
		text     string
	}{
		"no repository":  {nil, Build{"v1", "", "", "go1.26"}, "v1 (go1.26)"},
		"a commit":       {append(commit[:len(commit):len(commit)], debug.BuildSetting{Key: "vcs.modified", Value: "false"}), Build{"v1", "abc", "2030-05-01T10:00:00Z", "go1.26"}, "v1 (commit abc of 2030-05-01T10:00:00Z, go1.26)"},
		"a changed tree": {append(commit[:len(commit):len(commit)], debug.BuildSetting{Key: "vcs.modified", Value: "true"}), Build{"v1", "abc-dirty", "2030-05-01T10:00:00Z", "go1.26"}, "v1 (commit abc-dirty of 2030-05-01T10:00:00Z, go1.26)"},
		"changes alone":  {[]debug.BuildSetting{{Key: "vcs.modified", Value: "true"}}, Build{"v1", "", "", "go1.26"}, "v1 (go1.26)"},
	} {
		got := buildOf("v1", "go1.26", test.settings)
		if got != test.want || got.String() != test.text {
			t.Errorf("%s: got %+v, %s; want %+v, %s", name, got, got, test.want, test.text)
		}
	}
}
