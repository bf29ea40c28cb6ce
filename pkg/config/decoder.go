package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

const (
	apiVersion = "ecr-cross-account-credential-provider/v1alpha1"
	kind       = "CrossAccountConfig"
)

// decoder makes a Config of a file and the --role arguments, and collects the
// problems on the way.
type decoder struct {
	file     string
	config   *Config
	entries  []entry
	problems Problems
}

func (d *decoder) problemAt(line int, path, format string, args ...any) {
	file := d.file
	if line == 0 {
		file = ""
	}
	d.problems = append(d.problems, Problem{File: file, Line: line, Path: path, Text: fmt.Errorf(format, args...).Error()})
}

func (d *decoder) readFile() {
	root, err := readDocument(d.file)
	if err != nil {
		line := lineOf(err)
		text := strings.Replace(err.Error(), fmt.Sprintf("line %d: ", line), "", 1)
		d.problems = append(d.problems, Problem{File: d.file, Line: line, Text: text})
		return
	}
	d.readRoot(value{d, root, ""})
}

func (d *decoder) readRoot(root value) {
	if node := root.resolved(); node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		root.problem("empty; want at least apiVersion, kind and registries")
		return
	}
	root.fields(
		field{"apiVersion", func(v value) { v.choice(apiVersion) }},
		field{"kind", func(v value) { v.choice(kind) }},
		field{"registries", func(v value) { v.list(d.readEntry) }},
		field{"unmatched", func(v value) { d.config.UnmatchedNone = v.choice("Node", "None") == 1 }},
		field{"sts", d.readSTS},
		field{"deadline", d.readDeadline},
		field{"cache", d.readCache},
		field{"node", d.readNode},
		field{"endpoints", d.readEndpoints},
		field{"log", d.readLog},
	)
	root.require("apiVersion", "want "+apiVersion)
	root.require("kind", "want "+kind)
	root.require("registries", "want a list of entries with accounts")
}

func (d *decoder) readSTS(v value) {
	v.fields(field{"region", func(v value) {
		text, ok := v.text()
		switch {
		case !ok || text == "Node":
		case text == "Registry":
			d.config.STSRegion.OfRegistry = true
		default:
			region, err := registry.ParseRegion(text)
			if err != nil {
				v.problem("%q is not Node, Registry or a region's name such as eu-west-1", printable.Short(text))
			}
			d.config.STSRegion.Fixed = region
		}
	}})
}

func (d *decoder) readDeadline(v value) {
	text, ok := v.text()
	if !ok {
		return
	}
	switch deadline, err := parseDuration(text); {
	case err != nil:
		v.problem("%w", err)
	case deadline < MinDeadline || deadline > MaxDeadline:
		v.problem("%s is not between %s and %s; the kubelet ends the program after 60s", deadline, MinDeadline, MaxDeadline)
	default:
		d.config.Deadline = deadline
	}
}

func (d *decoder) readCache(v value) {
	v.fields(field{"directory", func(v value) {
		directory, ok := v.text()
		if ok && directory != "" && !filepath.IsAbs(directory) {
			v.problem(`%q is not an absolute path; leave it out for the default, or write "" for no cache`, printable.Short(directory))
		}
		d.config.Cache = Cache{Named: true, Directory: directory}
	}})
}

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; want one such as 20s, 15m or 1h", printable.Short(s))
	}
	return d, nil
}

// syntaxError takes the library's name off a message about YAML's syntax.
func syntaxError(err error) error {
	return fmt.Errorf("not YAML: %s", strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "yaml: "))
}

// lineOf finds the line that such a message speaks of.
func lineOf(err error) int {
	var line int
	if _, after, ok := strings.Cut(err.Error(), "line "); ok {
		_, _ = fmt.Sscanf(after, "%d", &line)
	}
	return line
}
