package cli

import (
	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
)

// explained is the JSON form of explain. The names of its fields are stable.
type explained struct {
	Image    string     `json:"image"`
	Entry    string     `json:"entry"`          // empty: no entry governs the image
	Line     int        `json:"line,omitempty"` // of the entry; 0 if no file has it
	Plan     *plan.Plan `json:"plan,omitempty"`
	Calls    []string   `json:"calls"` // the hosts of STS and ECR, in order
	Response response   `json:"response"`
}

type response struct {
	CacheKeyType kubelet.Scope `json:"cacheKeyType"`
	AuthKey      string        `json:"authKey,omitempty"` // empty: no credentials
}

func (a answer) printJSON(p Process) error {
	e := explained{Image: a.image, Calls: []string{}, Response: response{CacheKeyType: plan.ScopeNotECR(a.config, a.image)}}
	if a.notECR == nil {
		d, err := a.only()
		if err == nil {
			err = d.err
		}
		if err == nil {
			err = e.fill(a, d)
		}
		if err != nil {
			return err
		}
	}
	return p.WriteJSON(e)
}

// fill adds what the configuration decides.
func (e *explained) fill(a answer, d decided) error {
	e.Response.CacheKeyType = d.Scope()
	if d.Entry == nil {
		return nil
	}
	e.Entry, e.Line, e.Plan, e.Response.AuthKey = d.Entry.Name, d.Entry.Line, &d.Plan, d.AuthKey(a.parsed)
	sts, _, err := stsHost(a.api, d.Plan)
	if err != nil {
		return err
	}
	if d.Plan.ServiceAccount != nil {
		e.Calls = append(e.Calls, sts)
	}
	for range d.Plan.Roles {
		e.Calls = append(e.Calls, sts)
	}
	ecr, err := a.api.ECRHost(d.Plan.API)
	e.Calls = append(e.Calls, ecr)
	return err
}

// stsHost returns the host and the region of the STS that assumes the plan's roles.
// If only IMDS knows the node's region, host is a text that says so, and the region is
// empty.
func stsHost(api *awsapi.API, p plan.Plan) (host, region string, err error) {
	if !p.AssumesRoles() {
		return "", "", nil
	}
	node, err := api.NamedRegion()
	switch {
	case !p.STSRegion.IsZero(): // the node's region does not matter
	case err != nil:
		return "", "", err
	case node.IsZero():
		return "STS of the node's region (from IMDS), else of the registry's", "", nil
	}
	r, err := p.STS(node, api.STSHasFIPS)
	if err != nil {
		return "", "", err
	}
	host, err = api.STSHost(r, p.API.FIPS)
	return host, r.String(), err
}
