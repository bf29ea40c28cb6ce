// Package config reads the configuration: the file, the --role arguments, and
// the defaults. It reports all problems at once, each with file, line and path.
package config

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Config is a configuration without errors. Load and Default return one.
type Config struct {
	// File is the file's path, empty if there is none.
	File string
	// Rules are the entries for registries. Those of --role come last.
	Rules rule.Set
	// Unmatched governs the ECR images that no entry matches. If UnmatchedNone
	// is set, they get a response without credentials instead.
	Unmatched     rule.Entry
	UnmatchedNone bool
	// Mirrors are image hosts that runtimes pull through an ECR registry. Image looks
	// them up.
	Mirrors []registry.Mirror
	// STSRegion says in which region STS assumes the roles.
	STSRegion STSRegion
	// Endpoints are the endpoints that the file names.
	Endpoints Endpoints
	// Node is where the node's identity comes from.
	Node NodeSource
	// Cache is where the node's processes share tokens.
	Cache Cache
	// Log is where each request is logged.
	Log Log
	// Deadline is the time for a whole request.
	Deadline time.Duration
	// Warnings are about settings that are allowed but rarely intended.
	Warnings Problems
}

// STSRegion says which region's STS is called. The default is the node's region.
type STSRegion struct {
	// OfRegistry means the registry's region.
	OfRegistry bool
	// Fixed is set if the configuration names a region.
	Fixed registry.Region
}

// Endpoints are URLs of services by region. They replace AWS's own.
type Endpoints struct{ ECR, STS map[registry.Region]string }

// NodeSource is where the node's identity comes from. If a field is empty, the
// SDK's default applies.
type NodeSource struct{ Profile, ConfigFile string }

// Cache is the directory of the shared cache. If it is not Named, the program
// chooses one. If it is Named and empty, there is no cache.
type Cache struct {
	Named     bool
	Directory string
}

// Log is where each request is logged. The default is the journal, if there is one.
type Log struct {
	Destination Destination
	// File is the file's path if Destination is ToFile.
	File string
}

// Destination is a kind of log.
type Destination int

// The destinations.
const (
	ToJournal Destination = iota
	ToStderr
	ToNone
	ToFile
)

// The default deadline of a request, and its limits. The kubelet ends the plugin
// after a minute.
const (
	DefaultDeadline = 20 * time.Second
	MinDeadline     = time.Second
	MaxDeadline     = 50 * time.Second
)

// Default returns the configuration for nodes without a file. It does what the
// stock plugin does. Every ECR registry is served with the node's identity, or with
// the role that the pod's service account names. The role's trust policy decides
// whether that is allowed.
func Default() Config {
	return Config{Deadline: DefaultDeadline, Unmatched: rule.Entry{
		Name: "no configuration",
		ServiceAccount: &rule.ServiceAccount{
			RoleAnnotation:  rule.DefaultRoleAnnotation,
			AnyRole:         true,
			NodeWhenNoToken: true,
			NodeWhenNoRole:  true,
		},
	}}
}

// Image returns the ECR image for an image name of the kubelet. The name may start
// with a mirror's host. The error says why the image is not in ECR.
func (c Config) Image(name string) (registry.Image, error) {
	for _, mirror := range c.Mirrors {
		if image, ofHost, err := mirror.Image(name); ofHost {
			return image, err
		}
	}
	image, ok := registry.Parse(name)
	if !ok {
		return registry.Image{}, registry.WhyNotECR(name)
	}
	return image, nil
}

// Mirrored reports whether an image name starts with a mirror's host.
func (c Config) Mirrored(name string) bool {
	return slices.ContainsFunc(c.Mirrors, func(m registry.Mirror) bool {
		_, ofHost, _ := m.Image(name) // the host counts, even if the rest of the name is wrong
		return ofHost
	})
}

// StockRoleVariable is the environment variable with the role of service accounts
// without an annotation. The stock plugin reads it. This plugin reads it only if
// there is no file.
const StockRoleVariable = "AWS_ECR_ROLE_ARN"

// WithStockRole returns the configuration with the value of StockRoleVariable.
func (c Config) WithStockRole(arn string) (Config, error) {
	if c.File != "" || arn == "" {
		return c, nil
	}
	role, err := rule.NewRoleTemplate(arn)
	if err != nil {
		return c, Problems{{Path: "$" + StockRoleVariable, Message: err.Error()}}
	}
	stock := *c.Unmatched.ServiceAccount
	stock.RoleARN = &role
	c.Unmatched.ServiceAccount = &stock
	return c, nil
}

// Source is where a configuration comes from.
type Source struct {
	// Path is the path of the file, empty for none.
	Path string
	// Reader, if set, is read instead of the file. Then Path is only a name for
	// messages.
	Reader io.Reader
	// AnyOwner skips the check that only root and the plugin's user can write the
	// file.
	AnyOwner bool
}

// Load reads a file, if one is named, and adds the roles. Its errors are Problems.
func Load(file string, roles []RoleFlag) (Config, error) { return Source{Path: file}.Load(roles) }

// Load reads the source and adds the roles. Its errors are Problems.
func (s Source) Load(roles []RoleFlag) (Config, error) {
	r := &report{file: s.Path, lines: map[string]int{}, bad: map[string]bool{}, patterns: map[string]bool{}}
	c := Default()
	c.File = s.Path
	c.Rules = r.rules(r.addRoles(r.read(&c, s), roles))
	c.Warnings = sorted(r.warnings)
	if len(r.problems) > 0 {
		return Config{}, sorted(r.problems)
	}
	return c, nil
}

// read sets everything that is not an entry, and returns the entries.
func (r *report) read(c *Config, s Source) (entries []rule.Entry) {
	doc := r.document(s)
	if doc == nil {
		return nil
	}
	r.settings(c, doc)
	for i := range doc.Registries {
		entries = append(entries, r.entry(fmt.Sprintf("registries[%d]", i), &doc.Registries[i]))
	}
	return entries
}

// document reads and decodes the source. It returns nil if there is no source, if
// the source cannot be read, or if the text is not exactly one YAML document.
func (r *report) document(s Source) *Document {
	if s.Path == "" && s.Reader == nil {
		return nil
	}
	data, err := s.read()
	if !r.check("", err) {
		return nil
	}
	root, line, err := parse(data)
	if err != nil {
		r.problemAt(line, "", "%v", err)
		return nil
	}
	doc := new(Document)
	r.record("", root.Line)
	(&decoder{report: r}).value(root, "", reflect.ValueOf(doc).Elem(), "")
	return doc
}

func sorted(p Problems) Problems {
	slices.SortStableFunc(p, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return p
}
