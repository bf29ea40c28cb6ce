package providerconfig

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The names of programs that a kubelet runs for ECR.
const (
	PluginName = "ecr-cross-account-credential-provider" // this project's
	StockName  = "ecr-credential-provider"               // that of cloud-provider-aws
)

// Programs is what tells whose program a provider runs. The zero value knows nothing
// but names.
type Programs struct {
	// Directory is where the kubelet looks for programs; empty: not known.
	Directory string
	// MainPackage returns the import path of a Go program's main package, empty for
	// other files. Only the operator's tool has it: debug/buildinfo is large.
	MainPackage func(path string) string
}

// IsPlugin reports whether a provider runs this project's plugin: by its own name, by
// that of the file that its link leads to, or by the program's main package. A prefix
// counts as well, as in aws-ecr-cross-account-credential-provider, because kubelets
// before 1.33 order providers by name.
func (p Provider) IsPlugin(in Programs) bool {
	if isPluginName(p.Name) {
		return true
	}
	if in.Directory == "" || p.Name == "" {
		return false
	}
	file := filepath.Join(in.Directory, p.Name)
	if target, err := filepath.EvalSymlinks(file); err == nil && isPluginName(filepath.Base(target)) {
		return true
	}
	return in.MainPackage != nil && path.Base(in.MainPackage(file)) == PluginName
}

// isPluginName reports whether a file's name is the plugin's, with or without a prefix.
func isPluginName(name string) bool {
	name = strings.TrimSuffix(name, ".exe")
	return name == PluginName || strings.HasSuffix(name, "-"+PluginName)
}

// Plugins returns the providers that run this project's plugin, in the file's order.
func (c Config) Plugins(in Programs) []Provider {
	return slices.DeleteFunc(slices.Clone(c.Providers), func(p Provider) bool { return !p.IsPlugin(in) })
}
