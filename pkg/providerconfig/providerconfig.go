// Package providerconfig reads the kubelet's CredentialProviderConfig by the kubelet's
// own rules. They differ by version (k8s.io/kubernetes, pkg/credentialprovider/plugin).
// A kubelet exits at its start if this package reports a problem.
package providerconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/boundedfile"
)

// Config holds the providers of one file, or of all files of a directory.
type Config struct {
	// Files are the files that were read, in order.
	Files     []string
	Providers []Provider
}

// Provider is one credential provider.
type Provider struct {
	Name                 string           `yaml:"name"`
	MatchImages          []string         `yaml:"matchImages"`
	DefaultCacheDuration *string          `yaml:"defaultCacheDuration"`
	APIVersion           string           `yaml:"apiVersion"`
	Args                 []string         `yaml:"args"`
	Env                  []Variable       `yaml:"env"`
	TokenAttributes      *TokenAttributes `yaml:"tokenAttributes"`

	file string
}

// Variable is a variable of a provider's environment.
type Variable struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value"`
}

// TokenAttributes make the kubelet pass service account tokens to the plugin
// (KEP-4412).
type TokenAttributes struct {
	Audience              string   `yaml:"serviceAccountTokenAudience"`
	CacheType             *string  `yaml:"cacheType"`
	RequireServiceAccount *bool    `yaml:"requireServiceAccount"`
	RequiredAnnotations   []string `yaml:"requiredServiceAccountAnnotationKeys"`
	OptionalAnnotations   []string `yaml:"optionalServiceAccountAnnotationKeys"`
}

// document is the content of a file.
type document struct {
	APIVersion string     `yaml:"apiVersion"`
	Kind       string     `yaml:"kind"`
	Providers  []Provider `yaml:"providers"`
}

// maxFile limits each file.
const maxFile = 1 << 20

// Load reads a file or, from kubelet 1.34 on, a directory of files. It returns the
// providers that can be read, and the problems. It checks the providers only if reading
// and decoding find no problem.
func Load(path string, v Version) (Config, []error) {
	c, problems := Read(path, v)
	if len(problems) == 0 {
		problems = c.check(v)
	}
	return c, problems
}

// Read is Load without checking the providers. It reports only files that cannot be
// read, and files that are not a CredentialProviderConfig.
func Read(path string, v Version) (Config, []error) {
	files, err := filesAt(path, v)
	if err != nil {
		return Config{}, []error{err}
	}
	var contents []File
	var problems []error
	for _, file := range files {
		content, err := boundedfile.Read(file, maxFile)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		contents = append(contents, File{file, content})
	}
	c, found := decodeAll(contents, v)
	c.Files = files
	return c, append(problems, found...)
}

// File is a file's content, and the path that problems name.
type File struct {
	Path    string
	Content []byte
}

// Parse reads files, which must be in the order in which a kubelet reads them. It
// returns the same as Load.
func Parse(files []File, v Version) (Config, []error) {
	c, problems := decodeAll(files, v)
	if len(problems) == 0 {
		problems = c.check(v)
	}
	return c, problems
}

func decodeAll(files []File, v Version) (c Config, problems []error) {
	for _, file := range files {
		c.Files = append(c.Files, file.Path)
		providers, found := decode(file, v)
		problems = append(problems, found...)
		c.Providers = append(c.Providers, providers...)
	}
	return c, problems
}

// filesAt returns the files that a kubelet reads at a path.
func filesAt(path string, v Version) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return []string{path}, nil
	case !v.TakesDirectories():
		return nil, fmt.Errorf("%s is a directory, which needs kubelet 1.34 or later, and this kubelet is %s", path, v)
	}
	files, err := FilesIn(path)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no file *.json, *.yaml or *.yml", path)
	}
	return files, err
}

// FilesIn returns the files that a kubelet reads in a directory, in its order.
func FilesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries { // they are sorted
		if ext := filepath.Ext(entry.Name()); !entry.IsDir() && slices.Contains([]string{".json", ".yaml", ".yml"}, ext) {
			files = append(files, filepath.Join(dir, entry.Name()))
		}
	}
	return files, nil
}

// decode decodes a file. It also returns providers of which only some fields can be
// read. Kubelets before 1.32 ignore fields that they do not know.
func decode(file File, v Version) ([]Provider, []error) {
	path := file.Path
	decoder := yaml.NewDecoder(bytes.NewReader(file.Content))
	decoder.KnownFields(v.atLeast(32))
	var d document
	err := decoder.Decode(&d)
	for i := range d.Providers {
		d.Providers[i].file = path
	}
	if err != nil {
		return d.Providers, inFile(path, describe(err))
	}
	if err := d.check(v); err != nil {
		return d.Providers, []error{fmt.Errorf("%s: %w", path, err)}
	}
	var root yaml.Node
	if err := yaml.Unmarshal(file.Content, &root); err != nil {
		return nil, inFile(path, describe(err))
	}
	return d.Providers, inFile(path, wrongTypes(&root, ""))
}

// describe returns the decoder's problems without the name of this package. From the
// file's content it keeps only the names of fields, because the rest may be a
// secret.
func describe(err error) []string {
	if errors.Is(err, io.EOF) {
		return []string{"the file is empty"}
	}
	texts := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	if typed, ok := errors.AsType[*yaml.TypeError](err); ok {
		texts = slices.Clone(typed.Errors)
	}
	for i, text := range texts {
		if before, _, ok := strings.Cut(text, " not found in type "); ok {
			text = strings.Replace(before, "field ", "unknown field ", 1)
		}
		text = withoutBetween(text, " `", "` into")
		text = withoutBetween(text, " '", "' referenced")
		texts[i] = strings.ReplaceAll(text, "providerconfig.", "")
	}
	return texts
}

// withoutBetween removes the text between two marks, and keeps the last word of the
// second mark.
func withoutBetween(text, from, to string) string {
	start, end := strings.Index(text, from), strings.LastIndex(text, to)
	if start < 0 || end < start {
		return text
	}
	return text[:start] + text[end+1:]
}

func inFile(path string, problems []string) (errs []error) {
	for _, problem := range problems {
		errs = append(errs, fmt.Errorf("%s: %s", path, problem))
	}
	return errs
}

func (d document) check(v Version) error {
	group, version, _ := strings.Cut(d.APIVersion, "/")
	switch {
	case group != "kubelet.config.k8s.io" || !slices.Contains([]string{"v1", "v1beta1", "v1alpha1"}, version):
		return fmt.Errorf("apiVersion %q; want kubelet.config.k8s.io/v1", d.APIVersion)
	case d.Kind != "CredentialProviderConfig":
		return fmt.Errorf("kind %q; want CredentialProviderConfig", d.Kind)
	case version != "v1" && v.atLeast(33) && slices.ContainsFunc(d.Providers, func(p Provider) bool { return p.TokenAttributes != nil }):
		return fmt.Errorf("tokenAttributes is an unknown field in %s; want apiVersion kubelet.config.k8s.io/v1", d.APIVersion)
	}
	return nil
}
