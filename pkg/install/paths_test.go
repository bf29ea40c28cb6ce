package install

import "testing"

// TestFlagPaths: install recognizes its own files, however a path is spelled.
func TestFlagPaths(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*testNode){
		"flags of install": func(n *testNode) {
			n.options.BinDir, n.options.ProviderConfig = "/opt//bin/", "/etc/providers/"
		},
		"flags in a file, below a comment": func(n *testNode) {
			n.write("/etc/default/kubelet", "# ARGS=--"+configFlag+"=/etc/wrong --"+binDirFlag+"=/wrong\n"+
				"ARGS=--"+configFlag+"=/etc/./providers/ --"+binDirFlag+"=/opt/bin/\n\n#--"+configFlag+"=/etc/wrong\n")
		},
		"flags of a running kubelet": func(n *testNode) {
			n.runKubelet("", "--"+configFlag+"=/etc/providers/", "--"+binDirFlag, "/opt/bin//")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, map[string]string{
				"/usr/bin/kubelet": "v1.34.0", "/etc/providers/50.yaml": stockYAML, "/opt/bin/" + stockName: "", "/opt/bin/other": "",
			})
			change(n)
			before := n.snapshot()
			n.install()
			if found := n.kubelet("/etc/providers", "/opt/bin", "v1.34.0"); len(found) != 3 {
				t.Errorf("the kubelet has %d providers, want ours and two others", len(found))
			}
			after := n.snapshot()
			n.install()
			n.same(after)
			n.Proc = ""
			n.uninstall()
			n.same(before)
		})
	}
}

// TestFlagsRefused: install refuses paths and files with which no kubelet starts.
func TestFlagsRefused(t *testing.T) {
	t.Parallel()
	files := map[string]string{"/usr/bin/kubelet": "v1.34.0", "/etc/empty.yaml": ""}
	n := newNode(t, files)
	n.runKubelet("", "--"+configFlag+"=providers.yaml", "--"+binDirFlag+"=/opt/bin")
	n.refused("the kubelet's path \"providers.yaml\" cannot be written in a systemd unit; want an absolute one")
	n = newNode(t, files)
	n.options.BinDir, n.options.ProviderConfig = "/opt/bin", "/etc/empty.yaml"
	n.refused("/etc/empty.yaml: it is empty; remove it")
}
