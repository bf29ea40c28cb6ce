//go:build linux

package attacks_test

import (
	"os"
	"strings"
	"testing"
)

// TestLogFile: the plugin does not write to a file that was planted in the log file's
// place. The file does not delay the pull.
func TestLogFile(t *testing.T) {
	t.Parallel()
	for _, odd := range oddFiles() {
		if odd.name == "dangling link" || strings.HasPrefix(odd.name, "sparse") { // root's own link is followed; a sparse file is a regular file
			continue
		}
		t.Run(odd.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.place(odd, n.path("log"))
			n.want(n.pull(image), outcome{says: "log"})
		})
	}
	if os.Geteuid() == 0 {
		for _, name := range []string{"another user's link", "another user's file"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				n.write("target", "")
				n.place(oddFile{name, link("target")}, n.path("log"))
				if name == "another user's file" {
					n.place(oddFile{name, func(path string) error { return os.WriteFile(path, nil, 0o600) }}, n.path("log"))
				}
				if err := os.Lchown(n.path("log"), nobody, nobody); err != nil {
					t.Fatal(err)
				}
				n.want(n.pull(image), outcome{says: "owned by user"})
				if content := n.read("target") + n.read("log"); content != "" {
					t.Errorf("the log wrote %s, want nothing", content)
				}
			})
		}
	}
}
