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
	// Endpoints are named endpoints.
	Endpoints Endpoints
	// Node is where the node's identity comes from.
	Node NodeSource
	// Unmatched governs the ECR registries that no entry matches, unless
	// UnmatchedNone.
	Unmatched rule.Entry
	// Cache is where tokens are shared by the node's processes.
	Cache Cache
	// Log is where a record of each request goes.
	Log Log
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

// Cache is the shared cache's folder: the program's own choice unless it is Named;
// then, if Directory is empty, there is none.
type Cache struct {
	Named     bool
	Directory string
}

// The deadline of a request, and the longest that leaves the kubelet's minute
// some room.
const (
	DefaultDeadline = 20 * time.Second
	MinDeadline     = time.Second
	MaxDeadline     = 50 * time.Second
)

// Default is the configuration where there is none: what the stock plugin does.
// Every ECR registry is served with the node's identity, or that of the role
// that the pod's service account names, whose trust policy decides.
func Default() Config {
	return Config{Deadline: DefaultDeadline, Unmatched: rule.Entry{
		Name: "no configuration",
		ServiceAccount: &rule.ServiceAccount{
			RoleAnnotation:  rule.DefaultRoleAnnotation,
			AnyRole:         true,
			NodeWhenNoToken: true,
			NodeWhenNoRole:  true,
		},
	}}
}

// StockRoleVariable names the role of service accounts without an annotation to
// the stock plugin, and to this one where there is no file.
const StockRoleVariable = "AWS_ECR_ROLE_ARN"

// WithStockRole takes the value of StockRoleVariable.
func (c Config) WithStockRole(arn string) (Config, error) {
	if c.File != "" || arn == "" {
		return c, nil
	}
	role, err := rule.NewRoleTemplate(arn)
	if err != nil {
		return c, Problems{{Path: "$" + StockRoleVariable, Text: err.Error()}}
	}
	stock := *c.Unmatched.ServiceAccount
	stock.RoleARN = &role
	c.Unmatched.ServiceAccount = &stock
	return c, nil
}

// Load reads a file, if one is named, and adds the roles. The error is
// Problems.
func Load(file string, roles []RoleFlag) (Config, error) {
	c := Default()
	c.File = file
	d := &decoder{file: file, config: &c}
	if file != "" {
		c.Unmatched = rule.Entry{Name: "unmatched: Node"}
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
