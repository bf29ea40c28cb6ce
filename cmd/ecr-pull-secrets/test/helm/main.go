// Command helm renders a chart as Helm does, with Helm's own module, and prints the
// manifests. The tests apply exactly what it prints. It is a separate module, because
// of the modules that Helm links.
//
//	helm install RELEASE CHART -n NAMESPACE [--create-namespace] [-f FILE] [--set KEY=VALUE]... [--set-file KEY=FILE]...
package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/strvals"
)

func main() {
	text, err := install(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "helm:", err)
		os.Exit(1)
	}
	fmt.Print(text)
}

// install renders what helm install creates.
func install(args []string) (string, error) {
	if len(args) < 3 || args[0] != "install" {
		return "", errors.New("usage: helm install RELEASE CHART FLAGS")
	}
	var namespace string
	given := map[string]any{}
	flags := flag.NewFlagSet("helm", flag.ContinueOnError)
	flags.StringVar(&namespace, "n", "default", "the release's `NAMESPACE`")
	flags.Bool("create-namespace", false, "ignored: the caller creates the namespace")
	flags.Func("f", "a `FILE` of values", func(name string) error {
		values, err := chartutil.ReadValuesFile(name)
		maps.Copy(given, values)
		return err
	})
	flags.Func("set", "values, `KEY=VALUE,...`", func(text string) error { return strvals.ParseInto(text, given) })
	flags.Func("set-file", "values from files, `KEY=FILE`", func(text string) error {
		return strvals.ParseIntoFile(text, given, func(name []rune) (any, error) {
			content, err := os.ReadFile(string(name))
			return string(content), err
		})
	})
	if err := flags.Parse(args[3:]); err != nil {
		return "", err
	}
	if flags.NArg() > 0 {
		return "", fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return render(args[2], args[1], namespace, given)
}

func render(path, release, namespace string, given map[string]any) (string, error) {
	chart, err := loader.Load(path)
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
