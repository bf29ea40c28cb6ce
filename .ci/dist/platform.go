package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"path"
)

// platform is a system and an architecture.
type platform struct {
	system, architecture string
	suffix               string // of a program's file
	packages             bool
}

// platforms are the platforms for which the Makefile builds.
var platforms = []platform{
	{"linux", "amd64", "", true},
	{"linux", "arm64", "", true},
	{"windows", "amd64", ".exe", false},
}

// program is a program for a platform.
type program struct {
	file
	name string
	info *buildinfo.BuildInfo
}

// programs reads the plugin and the tool of a platform.
func (s source) programs(p platform) (plugin, tool program, err error) {
	if plugin, err = s.program(p, pluginName); err != nil {
		return plugin, tool, err
	}
	tool, err = s.program(p, toolName)
	return plugin, tool, err
}

func (s source) program(p platform, name string) (program, error) {
	f, err := s.file(path.Join("bin", p.system, p.architecture, name+p.suffix))
	if err != nil {
		return program{}, err
	}
	info, err := buildinfo.Read(bytes.NewReader(f.content))
	if err != nil {
		return program{}, fmt.Errorf("%s: %w", f.name, err)
	}
	f.name = name + p.suffix
	return program{file{f.name, f.content, 0o755, ""}, name, info}, nil
}

// writePlatform writes everything for a platform.
func (r *release) writePlatform(p platform, documents []file) error {
	plugin, tool, err := r.source.programs(p)
	if err != nil {
		return err
	}
	if err := r.writeBare(p, plugin, tool); err != nil {
		return err
	}
	if err := r.writeArchive(p, plugin, tool, documents); err != nil {
		return err
	}
	if !p.packages {
		return nil
	}
	return r.writePackages(p, plugin, tool, documents)
}

// writeBare writes the programs without an archive:
// dist/SYSTEM/ARCHITECTURE/NAME-SYSTEM-ARCHITECTURE, with a checksum beside each. The
// plugin also has a copy under the stock plugin's name.
func (r *release) writeBare(p platform, plugin, tool program) error {
	for _, bare := range []struct {
		name    string
		program program
	}{{pluginName, plugin}, {stockName, plugin}, {toolName, tool}} {
		name := fmt.Sprintf("%s/%s/%s-%s-%s%s", p.system, p.architecture, bare.name, p.system, p.architecture, p.suffix)
		if err := r.add(file{name: name, content: bare.program.content, mode: 0o755}, bare.program); err != nil {
			return err
		}
		if err := r.write(file{name: name + ".sha256", content: sumLine(bare.program.content, path.Base(name)), mode: 0o644}); err != nil {
			return err
		}
	}
	return nil
}
