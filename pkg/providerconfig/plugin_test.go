package providerconfig

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIsPlugin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, PluginName), "")
	write(t, filepath.Join(dir, "copy"), "")
	write(t, filepath.Join(dir, "other"), "")
	for name, target := range map[string]string{"link": PluginName, StockName: "link", "to-other": "other", "dangling": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	built := func(path string) string {
		return map[string]string{"copy": "example.com/cmd/" + PluginName, "other": "example.com/" + PluginName + "/cmd/other"}[filepath.Base(path)]
	}
	all := Programs{Directory: dir, MainPackage: built}
	for name, test := range map[string]struct {
		in   Programs
		want bool
	}{
		PluginName:           {Programs{}, true},
		PluginName + ".exe":  {Programs{}, true},
		"aws-" + PluginName:  {Programs{}, true},
		"x" + PluginName:     {all, false},
		StockName:            {all, true},
		"link":               {Programs{Directory: dir}, true},
		"copy":               {all, true},
		"other":              {all, false},
		"to-other":           {all, false},
		"dangling":           {all, false},
		"absent":             {all, false},
		"":                   {all, false},
		"ECR-" + PluginName:  {all, true},
		PluginName + "-wrap": {all, false},
	} {
		if got := (Provider{Name: name}).IsPlugin(test.in); got != test.want {
			t.Errorf("%q: got %t, want %t", name, got, test.want)
		}
	}
	for _, name := range []string{StockName, "link", "copy"} {
		if (Provider{Name: name}).IsPlugin(Programs{}) {
			t.Errorf("%q without a directory: got true, want false", name)
		}
	}
	if (Provider{Name: "copy"}).IsPlugin(Programs{Directory: dir}) {
		t.Error("a copy without its main package: got true, want false")
	}
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	c := Config{Providers: []Provider{{Name: StockName}, {Name: "aws-" + PluginName}, {Name: PluginName}}}
	if diff := cmp.Diff(c.Providers[1:], c.Plugins(Programs{}), cmp.AllowUnexported(Provider{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Providers[0].Name != StockName {
		t.Errorf("got %q as the first provider; want %q, unchanged", c.Providers[0].Name, StockName)
	}
}
