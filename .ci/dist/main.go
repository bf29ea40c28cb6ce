// Command dist writes a release into the directory dist of a clone. A release has
// archives, packages for Debian and Red Hat, and bare programs in the layout for kOps.
// Each of them has a list of its components. SHA256SUMS has the checksums of all files
// except the .sha256 files. `make dist` builds the programs first.
//
//	dist CLONE
//
// The same commit gives the same bytes in every clone. The command is a separate
// module, because the programs must not depend on the modules that it links.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("want the directory of a clone")
	}
	s, err := readSource(args[0])
	if err != nil {
		return err
	}
	r := release{source: s, dir: filepath.Join(s.root, "dist")}
	if err := os.RemoveAll(r.dir); err != nil {
		return err
	}
	documents, err := s.documents()
	if err != nil {
		return err
	}
	for _, p := range platforms {
		if err := r.writePlatform(p, documents); err != nil {
			return fmt.Errorf("%s/%s: %w", p.system, p.architecture, err)
		}
	}
	return r.writeSums()
}
