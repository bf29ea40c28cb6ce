// Package config reads the configuration: the file, the --role arguments, and
// what stands where neither says anything. All that is wrong with it is
// reported at once, each with its file, line and path.
package config

import (
	"cmp"
	"slices"
	"time"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Config is a configuration without errors. Load and Default make it.
type Config struct {
	// File is the file's path, empty if there is none.
	File string
	// Rules are the entries for registries, those of --role last.
	Rules rule.Set
	// UnmatchedNone says to answer with no credentials, rather than with the
	// node's identity, for ECR registries that no entry matches.
	UnmatchedNone bool
	// STSRegion is where roles are assumed.
	STSRegion STSRegion
	// Deadline is how long a request may take in all.
	Deadline time.Duration
}

// STSRegion is the region whose STS is asked: by default the node's.
type STSRegion struct {
	// OfRegistry says the registry's region.
	OfRegistry bool
	// Fixed is set where the configuration names a region.
	Fixed registry.Region
}

// The deadline of a request, and the longest that leaves the kubelet's minute
// some room.
const (
	DefaultDeadline = 20 * time.Second
	MinDeadline     = time.Second
	MaxDeadline     = 50 * time.Second
)

// Default is the configuration where there is none: every ECR registry is
// served with the node's identity, as the stock plugin does.
func Default() Config { return Config{Deadline: DefaultDeadline} }

// Load reads a file, if one is named, and adds the roles. The error is
// Problems.
func Load(file string, roles []RoleFlag) (Config, error) {
	c := Default()
	c.File = file
	d := &decoder{file: file, config: &c}
	if file != "" {
		d.readFile()
	}
	d.addRoles(roles)
	d.buildRules()
	if len(d.problems) > 0 {
		slices.SortStableFunc(d.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		return Config{}, d.problems
	}
	return c, nil
}
