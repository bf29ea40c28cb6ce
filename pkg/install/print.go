package install

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/rogpeppe/go-internal/diff"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// heading describes the node and the plugin.
func (i *Installer) heading(n *node, o Options) []string {
	chosen := "found"
	if o.Platform != "" && o.Platform != "auto" {
		chosen = "by --platform"
	}
	return []string{
		fmt.Sprintf("platform  %s (%s)", n.platform.name, chosen),
		fmt.Sprintf("kubelet   %s (%s), %s", n.version, n.versionFrom, runningText(n.running)),
		"plugin    " + o.Plugin,
	}
}

// compareVersions adds a duty if the plugin and this program have different versions.
func (i *Installer) compareVersions(ctx context.Context, p *plan, o Options) {
	out, err := i.Execute(ctx, o.Plugin, "version")
	rest, ok := strings.CutPrefix(strings.TrimSpace(out), pluginName+" ")
	if release, _, _ := strings.Cut(rest, " "); err == nil && ok && release != i.Version {
		p.duties = append(p.duties, fmt.Sprintf("install both programs of one version: %s is %s, and this program is %s", o.Plugin, printable.Short(release), i.Version))
	}
}

// print prints the plan.
func (p *plan) print(w io.Writer) error {
	var b bytes.Buffer
	for _, line := range p.heading {
		fmt.Fprintln(&b, line)
	}
	if p.layout.owner != "" {
		fmt.Fprintf(&b, "files     %s\nreboot    undoes %s\n", p.layout.owner, p.layout.reboot)
	}
	fmt.Fprintln(&b)
	for _, c := range append(p.first, p.last...) {
		p.printChange(&b, c)
	}
	for _, duty := range p.duties {
		fmt.Fprintf(&b, "to do: %s\n", duty)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (p *plan) printChange(b *bytes.Buffer, c change) {
	path := p.node.disk.at(c.path)
	switch {
	case !c.needed():
		if c.note != "" && p.uninstall {
			fmt.Fprintf(b, "keep    %s (%s)\n", path, c.note)
		}
		return
	case c.new.absent() && c.note != "":
		fmt.Fprintf(b, "remove  %s (%s)\n", path, c.note)
		return
	case c.new.absent():
		fmt.Fprintf(b, "remove  %s\n", path)
		return
	case c.new.link != "":
		fmt.Fprintf(b, "link    %s to %s\n", path, c.new.link)
		return
	case c.old.absent():
		fmt.Fprintf(b, "create  %s (mode %04o, %d bytes)\n", path, c.new.mode, len(c.new.content))
	default:
		fmt.Fprintf(b, "change  %s (mode %04o, %d bytes)\n", path, c.new.mode, len(c.new.content))
	}
	if c.note != "" {
		fmt.Fprintf(b, "        %s\n", c.note)
	}
	if isText(c.old.content) && isText(c.new.content) {
		old, text := c.old.content, c.new.content
		if c.providers {
			old, text = withoutSecrets(old), withoutSecrets(text)
		}
		printDiff(b, path, old, text)
	}
}

// printDiff prints the differences of two texts. It omits the lines that name the
// files.
func printDiff(b *bytes.Buffer, path string, old, text []byte) {
	for line := range strings.Lines(string(diff.Diff(path, old, path, text))) {
		if strings.HasPrefix(line, "diff ") || strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "+++ ") {
			continue
		}
		fmt.Fprintf(b, "        %s\n", strings.Map(visible, strings.TrimRight(line, "\r\n")))
	}
}

// withoutSecrets hides the credentials and the proxies' passwords in the env of
// providers.
func withoutSecrets(content []byte) []byte {
	c, _ := providerconfig.Parse([]providerconfig.File{{Content: content}}, providerconfig.Version{}) // it returns the entries that can be read
	for _, entry := range c.Providers {
		for _, variable := range entry.Env {
			text := variable.Name + "=" + variable.Value
			if variable.Value != "" && (hasCredential(text) || hasLogin(text)) {
				content = bytes.ReplaceAll(content, []byte(variable.Value), []byte("(hidden)"))
			}
		}
	}
	return content
}

// visible replaces characters that would control a terminal.
func visible(r rune) rune {
	if r != '\t' && !unicode.IsPrint(r) {
		return unicode.ReplacementChar
	}
	return r
}

// maxDiff limits the size of texts whose differences are printed.
const maxDiff = 64 << 10

func isText(content []byte) bool {
	return len(content) <= maxDiff && !bytes.ContainsRune(content, 0)
}
