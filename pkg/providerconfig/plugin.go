package providerconfig

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// These are the names of programs that a kubelet runs for ECR.
const (
	PluginName = "ecr-cross-account-credential-provider" // this project's
	StockName  = "ecr-credential-provider"               // that of cloud-provider-aws
)

// Programs identifies the programs that providers run. The zero value uses only
// their names.
type Programs struct {
	// Directory is the directory in which the kubelet looks for programs. Empty
	// means unknown.
	Directory string
	// MainPackage returns the import path of a Go program's main package, or "" for
	// other files. Only the operator's tool sets it, because debug/buildinfo is
	// large.
	MainPackage func(path string) string
}

// IsPlugin reports whether a provider runs this project's plugin. It uses the
// provider's name, the name of a link's target, or the program's main package. A
// name may have a prefix, as in aws-ecr-cross-account-credential-provider, because
// kubelets before 1.33 order providers by name.
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
