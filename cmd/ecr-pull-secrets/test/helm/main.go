// Command helm renders a chart as Helm does, with Helm's own module, and prints the
// manifests. The tests apply exactly what it prints. It is a module of its own for
// what Helm links.
//
//	helm CHART RELEASE NAMESPACE VALUES
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: helm CHART RELEASE NAMESPACE VALUES")
		os.Exit(2)
	}
	text, err := render(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(text)
}

func render(path, release, namespace, valuesFile string) (string, error) {
	chart, err := loader.Load(path)
	if err != nil {
		return "", err
	}
	given, err := chartutil.ReadValuesFile(valuesFile)
	if err != nil {
		return "", err
	}
	values, err := chartutil.ToRenderValues(chart, given, chartutil.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}, chartutil.DefaultCapabilities)
	if err != nil {
		return "", err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, values)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(name) == ".yaml" && strings.TrimSpace(files[name]) != "" {
			fmt.Fprintf(&all, "---\n%s\n", files[name])
		}
	}
	return all.String(), nil
}
