package doctor

import (
	"os"
	"path/filepath"
	"testing"
)

// TestHostsFile: of a host with a port, containerd first uses the directory whose name has
// underscores.
func TestHostsFile(t *testing.T) {
	t.Parallel()
	const host, underscores = "registry.example.com:5000", "registry.example.com_5000_"
	for name, test := range map[string]struct {
		directories []string
		want        string
	}{
		"underscores":   {[]string{underscores}, underscores},
		"a colon":       {[]string{host}, host},
		"both":          {[]string{underscores, host, anyHost}, underscores},
		"for all hosts": {[]string{anyHost}, anyHost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &examination{}
			e.kubelet.root = t.TempDir()
			fileIn := func(directory string) string {
				return filepath.Join(e.kubelet.root, "etc/containerd/certs.d", directory, "hosts.toml")
			}
			for _, directory := range test.directories {
				if err := os.MkdirAll(filepath.Dir(fileIn(directory)), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(fileIn(directory), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if path, _, err := e.hostsFile(host); err != nil || path != fileIn(test.want) {
				t.Errorf("got %s, %v; want %s", path, err, fileIn(test.want))
			}
		})
	}
}
