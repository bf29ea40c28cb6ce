package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// componentsOf returns the list of an artifact's components in the format CycloneDX:
// the programs, and the modules that the Go tool has recorded in them. The list has the
// commit's date, and no serial number.
func componentsOf(artifact file, programs []program, s source) ([]byte, error) {
	whole := cdx.Component{
		BOMRef: "artifact:" + artifact.base(), Type: cdx.ComponentTypeFile, Name: artifact.base(),
		Version: s.version, Hashes: sha256Of(artifact.content),
	}
	var components []cdx.Component
	var dependencies []cdx.Dependency
	modules := map[string]cdx.Component{}
	var names []string
	for _, p := range programs {
		ref := "program:" + p.name
		components = append(components, cdx.Component{
			BOMRef: ref, Type: cdx.ComponentTypeApplication, Name: p.name, Version: s.version, Hashes: sha256Of(p.content),
		})
		names = append(names, ref)
		linked, err := modulesOf(p)
		if err != nil {
			return nil, err
		}
		var refs []string
		for _, m := range linked {
			modules[m.BOMRef] = m
			refs = append(refs, m.BOMRef)
		}
		dependencies = append(dependencies, cdx.Dependency{Ref: ref, Dependencies: &refs})
	}
	dependencies = append([]cdx.Dependency{{Ref: whole.BOMRef, Dependencies: &names}}, dependencies...)
	libraries := make([]cdx.Component, 0, len(modules))
	for _, m := range modules {
		libraries = append(libraries, m)
	}
	slices.SortFunc(libraries, func(a, b cdx.Component) int { return strings.Compare(a.BOMRef, b.BOMRef) })
	components = append(components, libraries...)
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: s.date.Format(time.RFC3339), Component: &whole}
	bom.Components, bom.Dependencies = &components, &dependencies
	var b bytes.Buffer
	err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6)
	return b.Bytes(), err
}

// modulesOf returns the modules that a program links, and std for the standard library.
func modulesOf(p program) ([]cdx.Component, error) {
	components := []cdx.Component{library("std", strings.TrimPrefix(p.info.GoVersion, "go"))}
	for _, d := range p.info.Deps {
		m := cmp.Or(d.Replace, d)
		c := library(m.Path, m.Version)
		if m.Sum == "" {
			return nil, fmt.Errorf("%s links %s without a checksum", p.name, m.Path)
		}
		hashes, err := hashOf(m)
		if err != nil {
			return nil, err
		}
		c.Hashes = hashes
		components = append(components, c)
	}
	return components, nil
}

// library returns a module as a component.
func library(path, version string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl}
}

// hashOf returns a module's checksum from go.sum. It is a SHA-256 of the list of its
// files' checksums.
func hashOf(m *debug.Module) (*[]cdx.Hash, error) {
	sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
	if err != nil {
		return nil, fmt.Errorf("the checksum of %s: %w", m.Path, err)
	}
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}, nil
}

func sha256Of(content []byte) *[]cdx.Hash {
	sum := sha256.Sum256(content)
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}}
}
