// Package registry finds out from an image's name which Amazon ECR registry the image
// is in. It uses only the form of the host and needs no call to AWS. The author of a
// pod chooses the image's name. So the name may select only an account and a region.
package registry

import (
	"fmt"
	"slices"
	"strings"
)

// Registry is an ECR registry: an account's private one in one region, or the
// public one. Private and Image.Registry return one. The zero value is not a registry.
type Registry struct {
	host      string
	account   Account
	region    Region
	fips      bool
	dualStack bool
	public    bool
}

// Private returns an account's private registry in a region, with its standard
// host. Account and region must not be zero.
func Private(account Account, region Region) Registry {
	host := account.String() + "." + hostForms[0].labels + region.String() + "." + region.partition.suffix
	return Registry{host: host, account: account, region: region}
}

// Host returns the registry's host name, without port.
func (r Registry) Host() string { return r.host }

// Account returns the registry's owner. The public registry has none.
func (r Registry) Account() Account { return r.account }

// Region returns the registry's region. The public registry has none.
func (r Registry) Region() Region { return r.region }

// Partition returns the partition of the registry's region.
func (r Registry) Partition() Partition { return r.region.Partition() }

// FIPS reports whether the host asks for FIPS 140 validated endpoints.
func (r Registry) FIPS() bool { return r.fips }

// DualStack reports whether the host asks for endpoints with IPv6 and IPv4.
func (r Registry) DualStack() bool { return r.dualStack }

// Public reports whether this is ECR Public, which anyone may pull from.
func (r Registry) Public() bool { return r.public }

// String returns the registry's host name.
func (r Registry) String() string { return r.host }

// parseHost parses a host name without port. The error says which part differs
// from an ECR registry's host.
func parseHost(host string) (Registry, error) {
	if slices.Contains(publicHosts, host) {
		return Registry{host: host, public: true}, nil
	}
	id, rest, _ := strings.Cut(host, ".")
	form, region, ok := cutForm(rest)
	if !ok {
		return Registry{}, fmt.Errorf("the host is not that of an ECR registry, such as 444455556666.dkr.ecr.eu-west-1.amazonaws.com")
	}
	account, err := ParseAccount(id)
	if err != nil {
		return Registry{}, err
	}
	name, suffix, _ := strings.Cut(region, ".")
	r, err := ParseRegion(name)
	if err != nil {
		return Registry{}, err
	}
	if want, ok := form.suffix(r.partition); !ok || suffix != want {
		return Registry{}, fmt.Errorf("region %s of partition %s has no registry host of this form and suffix", r, r.Partition())
	}
	return Registry{host: host, account: account, region: r, fips: form.fips, dualStack: form.dualStack}, nil
}

// hostForm is a form of a registry's host after the account.
type hostForm struct {
	labels          string
	fips, dualStack bool
}

var hostForms = []hostForm{
	{labels: "dkr.ecr."},
	{labels: "dkr.ecr-fips.", fips: true},
	{labels: "dkr-ecr.", dualStack: true},
	{labels: "dkr-ecr-fips.", fips: true, dualStack: true},
}

func cutForm(s string) (hostForm, string, bool) {
	for _, form := range hostForms {
		if rest, ok := strings.CutPrefix(s, form.labels); ok {
			return form, rest, true
		}
	}
	return hostForm{}, "", false
}

// suffix returns the text after the region in a host of this form, and reports
// whether p has the form.
func (f hostForm) suffix(p *partition) (string, bool) {
	suffix := p.suffix
	if f.dualStack {
		suffix = p.dualSuffix
	}
	return suffix, suffix != "" && (p.fips || !f.fips)
}
