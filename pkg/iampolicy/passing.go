package iampolicy

import (
	"cmp"
	"errors"
	"slices"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// endpoint adds a statement to the policy of a service's endpoint in the nodes' VPCs.
func (d *derivation) endpoint(service string, s Statement) error {
	for _, n := range d.facts.NodeRoles {
		if n.account.IsZero() {
			return errExactNodeRole
		}
		account := n.account.String()
		d.add(Item{
			Account: account, Kind: EndpointPolicy, Name: "ecr-cross-account-" + service,
			AttachTo: endpointService(d.facts.Region, service),
		}, s)
	}
	if len(d.facts.NodeRoles) == 0 {
		return errNodeRole
	}
	return nil
}

// endpointDomains are the domains in the names of some services that VPC endpoints
// connect to. The source of these names and of endpointService is the AWS CDK:
// getDefaultEndpointPrefix in packages/aws-cdk-lib/aws-ec2/lib/vpc-endpoint.ts.
var endpointDomains = map[registry.Partition]string{
	registry.AWSCN:   "cn.com.amazonaws",
	registry.AWSEUSC: "eu.amazonaws",
	registry.AWSISO:  "gov.ic.c2s",
	registry.AWSISOB: "gov.sgov.sc2s",
	registry.AWSISOE: "uk.adc-e.cloud",
	registry.AWSISOF: "gov.ic.hci.csp",
}

// endpointService returns the full name of a service that a VPC endpoint connects to.
// Its domain is com.amazonaws, except for ECR outside aws and aws-us-gov, and for STS in
// China. The gateway of S3 is no exception anywhere.
func endpointService(region registry.Region, service string) string {
	domain := "com.amazonaws"
	if service != "s3" && (service != "sts" || region.Partition() == registry.AWSCN) {
		domain = cmp.Or(endpointDomains[region.Partition()], domain)
	}
	return domain + "." + region.String() + "." + service
}

// wantsEndpoints reports whether the request covers the policies of endpoints. It
// returns an error if their region is unknown.
func (d *derivation) wantsEndpoints() (bool, error) {
	if d.request.Side != Endpoints {
		return false, nil
	}
	if d.facts.Region.IsZero() {
		return false, missing("--region", "the region of the VPC's endpoints is not known")
	}
	return true, nil
}

// passOwn allows a node to ask for its own account, if the configuration depends on
// it.
func (d *derivation) passOwn(n *NodeRole) error {
	wants, err := d.wantsEndpoints()
	dependsOnOwn := slices.ContainsFunc(d.config.Rules.Entries(), func(e rule.Entry) bool { return e.Accounts.Own || e.Accounts.ExceptOwn })
	if !wants || err != nil || !dependsOnOwn {
		return err
	}
	return d.endpoint("sts", PassCallerIdentity(n.arn)) // n is not nil: scopes has checked it
}

// pass allows an identity to call STS through the VPC's endpoint.
func (d *derivation) pass(p part, who identity, statement func(caller string) Statement) error {
	wants, err := d.wantsEndpoints()
	if !wants || err != nil || p.chosen || !d.callsSTSIn(p) {
		return err
	}
	caller, err := who.arn()
	if err != nil {
		return err
	}
	return d.endpoint("sts", statement(caller))
}

// passServiceAccount allows service accounts to assume the role through the VPC's
// endpoint of STS.
func (d *derivation) passServiceAccount(p part, role rule.Role) error {
	wants, err := d.wantsEndpoints()
	if !wants || err != nil || !d.callsSTSIn(p) {
		return err
	}
	return d.endpoint("sts", PassServiceAccount(role))
}

// callsSTSIn reports whether the part's roles are assumed in the nodes' region.
func (d *derivation) callsSTSIn(p part) bool {
	sts := d.config.STSRegion
	if sts.OfRegistry {
		return p.includes(d.facts.Region)
	}
	return sts.Fixed.IsZero() || sts.Fixed == d.facts.Region
}

// includes reports whether the part has registries in the region.
func (p part) includes(region registry.Region) bool {
	return len(p.entry.Regions) == 0 || slices.ContainsFunc(p.entry.Regions, func(r registry.RegionPattern) bool {
		return r.Match(region) && slices.Contains(p.regions, r.String())
	})
}

// passPull allows an identity to request a token and pull through the VPC's
// endpoints. They serve only the registries of their own region.
func (d *derivation) passPull(p part, who identity, kind rule.PolicyKind) error {
	wants, err := d.wantsEndpoints()
	if !wants || err != nil || p.chosen || !p.includes(d.facts.Region) {
		return err
	}
	caller, err := who.arn()
	if err != nil {
		return err
	}
	p.regions = []string{d.facts.Region.String()}
	return errors.Join(
		d.endpoint("ecr.api", PassToken(caller)),
		d.endpoint("ecr.dkr", PassPull(caller, kind, p.repositories()...)),
		d.endpoint("s3", PassLayers(d.facts.Region)),
	)
}
