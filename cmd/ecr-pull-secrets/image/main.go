// Command image writes the image of ecr-pull-secrets as an OCI archive, without a
// daemon. The image has only the program and a bundle of CA certificates. The same
// programs give the same bytes.
//
//	image -o FILE [-version VERSION] linux/amd64=PROGRAM linux/arm64=PROGRAM
//
// It is a separate module, because of the modules that it links.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string, stderr io.Writer) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("o", "", "the archive's `FILE`")
	version := flags.String("version", "unknown", "the program's `VERSION`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || flags.NArg() == 0 {
		return fmt.Errorf("want -o FILE and a PLATFORM=PROGRAM for each platform")
	}
	var programs []program
	for _, arg := range flags.Args() {
		platform, path, ok := strings.Cut(arg, "=")
		system, architecture, ok2 := strings.Cut(platform, "/")
		if !ok || !ok2 {
			return fmt.Errorf("%q: want PLATFORM=PROGRAM, such as linux/amd64=bin/program", arg)
		}
		programs = append(programs, program{system, architecture, path})
	}
	dir, err := os.MkdirTemp("", "image")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	if err := writeLayout(dir, programs, *version); err != nil {
		return err
	}
	return archive(dir, *out)
}

// writeLayout writes an OCI layout with one index, which has an image per platform.
func writeLayout(dir string, programs []program, version string) error {
	index, err := indexOf(programs, version)
	if err != nil {
		return err
	}
	root, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return root.ReplaceIndex(index, match.Name(version), layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": version,
	}))
}
