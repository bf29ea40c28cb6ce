package cli

import (
	"context"
	"encoding/json"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// explained is the JSON form of explain. The names of its fields are stable.
type explained struct {
	Image    string     `json:"image"`
	Entry    string     `json:"entry"`          // empty: left to others
	Line     int        `json:"line,omitempty"` // of the entry; 0 if no file has it
	Plan     *plan.Plan `json:"plan,omitempty"`
	Calls    []string   `json:"calls"` // the hosts of STS and ECR, in order
	Response response   `json:"response"`
}

type response struct {
	CacheKeyType kubelet.Scope `json:"cacheKeyType"`
	AuthKey      string        `json:"authKey,omitempty"` // empty: no credentials
}

func explainJSON(ctx context.Context, p Process, own registry.Account, c config.Config, name string) error {
	e := explained{Image: name, Calls: []string{}, Response: response{CacheKeyType: kubelet.ForRegistry}}
	if image, err := c.Image(name); err == nil {
		if own.IsZero() && !image.Registry().Public() && c.Rules.DependsOnOwn(image) {
			return command.UsageError("which entry governs %s depends on the node's own account; name it with --own ACCOUNT", image)
		}
		api, err := awsapi.Load(ctx, p.AWS(c, nil))
		if err != nil {
			return err
		}
		if err := e.decide(c, api, image, own); err != nil {
			return err
		}
	}
	encoder := json.NewEncoder(p.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(e)
}

// decide fills in what the configuration decides, for a pod that is not known.
func (e *explained) decide(c config.Config, api *awsapi.API, image registry.Image, own registry.Account) error {
	d, err := plan.Decide(c, image, own, nil)
	if err != nil {
		return err
	}
	e.Response.CacheKeyType = d.Scope()
	if d.Entry == nil {
		return nil
	}
	e.Entry, e.Line, e.Plan, e.Response.AuthKey = d.Entry.Name, d.Entry.Line, &d.Plan, d.AuthKey(image)
	sts, _, err := stsHost(api, d.Plan)
	if err != nil {
		return err
	}
	if d.Plan.ServiceAccount != nil {
		e.Calls = append(e.Calls, sts)
	}
	for range d.Plan.Roles {
		e.Calls = append(e.Calls, sts)
	}
	ecr, err := api.ECRHost(d.Plan.API)
	e.Calls = append(e.Calls, ecr)
	return err
}

// stsHost returns the host and the region of the STS that assumes the plan's roles.
// If only IMDS knows the node's region, the text says so instead, and the region is
// empty.
func stsHost(api *awsapi.API, p plan.Plan) (host, region string, err error) {
	if !p.AssumesRoles() {
		return "", "", nil
	}
	node, err := api.NamedRegion()
	switch {
	case !p.STSRegion.IsZero(): // nobody needs the node's
	case err != nil:
		return "", "", err
	case node.IsZero():
		return "STS of the node's region, which IMDS tells, else of the registry's", "", nil
	}
	r, err := p.STS(node, api.STSHasFIPS)
	if err != nil {
		return "", "", err
	}
	host, err = api.STSHost(r, p.API.FIPS)
	return host, r.String(), err
}
