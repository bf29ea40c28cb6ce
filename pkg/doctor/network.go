package doctor

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// network holds the hosts that the pulls need. doctor asks all of them at the same
// time. So several silent hosts take no longer than one.
type network struct {
	runtime   *runtime
	probes    []*probe
	callerSTS *probe // for GetCallerIdentity; nil if its region is not known
	needs     map[*subject]*needs
}

// leg is a host that a pull needs.
type leg int

const (
	toSTS leg = iota
	toECR
	toRegistry
	toLayers
	legs // their number
)

// needs are the hosts that a pull needs, and their checks. Hosts that it does not
// need are nil.
type needs struct {
	sts    identity.STS
	stsErr error
	probes [legs]*probe
	checks [legs]*diagnosis.Check
}

// startNetwork finds the hosts that the subjects need, and starts to ask them.
func (e *examination) startNetwork(ctx context.Context) {
	e.network = network{runtime: newRuntime(e.Doctor, e.Process.AWS(e.config, nil).Timeouts), needs: map[*subject]*needs{}}
	if region, err := e.aws.node.STSRegion(ctx); err == nil && !region.IsZero() {
		if u, err := e.aws.api.STSURL(region, false); err == nil {
			e.network.callerSTS = e.probe(ctx, e.aws.api.Client(), u)
		}
	}
	for _, s := range e.subjects {
		e.network.needs[s] = e.startFor(ctx, s)
	}
}

func (e *examination) startFor(ctx context.Context, s *subject) *needs {
	n := &needs{}
	if s.plan.AssumesRoles() {
		chain := identity.Chain{API: e.aws.api, Node: e.aws.node}
		if n.sts, n.stsErr = chain.STS(ctx, s.plan); n.stsErr == nil {
			if u, err := e.aws.api.STSURL(n.sts.Region, n.sts.FIPS); err == nil {
				n.probes[toSTS] = e.probe(ctx, e.aws.api.Client(), u)
			} else {
				n.stsErr = err
			}
		}
	}
	if u, err := e.aws.api.ECRURL(s.plan.API); err == nil {
		n.probes[toECR] = e.probe(ctx, e.aws.api.Client(), u)
	}
	n.probes[toRegistry] = e.probe(ctx, e.network.runtime.client, url.URL{Scheme: "https", Host: s.registry.Host(), Path: "/v2/"})
	if !s.registry.Public() {
		n.probes[toLayers] = e.probe(ctx, e.network.runtime.client, url.URL{Scheme: "https", Host: layerHost(s.registry), Path: "/"})
	}
	return n
}

// layerHost returns the host of the bucket in which ECR keeps the layers of a region
// (Amazon ECR User Guide, "Minimum Amazon S3 bucket permissions for Amazon ECR").
func layerHost(reg registry.Registry) string {
	standard := registry.Private(reg.Account(), reg.Region()).Host()
	_, suffix, _ := strings.Cut(standard, "."+reg.Region().String()+".")
	return "prod-" + reg.Region().String() + "-starport-layer-bucket.s3." + reg.Region().String() + "." + suffix
}

// probe starts to ask a host, unless it is already asking the host.
func (e *examination) probe(ctx context.Context, client aws.HTTPClient, u url.URL) *probe {
	u = url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	i := slices.IndexFunc(e.network.probes, func(p *probe) bool { return p.client == client && p.url.Host == u.Host })
	if i >= 0 {
		return e.network.probes[i]
	}
	p := &probe{client: client, url: u, done: make(chan struct{})}
	proxy := proxyFor(e.Process.Environ())
	if client == e.network.runtime.client {
		proxy = e.network.runtime.proxy
	}
	p.proxy, _ = proxy(&u) // the request reports an invalid proxy
	e.network.probes = append(e.network.probes, p)
	send := func(r *http.Request) (*http.Response, error) { return e.aws.api.Send(client, r) }
	go p.run(ctx, e.Limits.Host, send, e.Process.Now)
	return p
}

// skew returns how far AWS's clock is ahead of the node's. It uses the first host
// that answered with a time.
func (n *network) skew(ctx context.Context) (ahead time.Duration, host string, ok bool) {
	for _, p := range n.probes {
		if r := p.wait(ctx); r.err == nil && r.dated {
			return r.ahead, p.url.Hostname(), true
		}
	}
	return 0, "", false
}

// legKinds are the kinds of the checks, and the services as hints name them.
var legKinds = [legs]struct {
	kind    diagnosis.Kind
	service string
}{
	toSTS:      {reachSTS, "STS"},
	toECR:      {reachECR, "the ECR API"},
	toRegistry: {reachRegistry, "the registry over the internet, or through an interface endpoint for ecr.dkr with private DNS"},
	toLayers:   {reachLayers, "ECR's bucket in S3 over the internet, or through a gateway endpoint for S3"},
}

// reached checks that the node reaches each host.
func (e *examination) reached(ctx context.Context) {
	done := map[*probe]*diagnosis.Check{}
	for l := range legs {
		for _, s := range e.subjects {
			n := e.network.needs[s]
			switch {
			case n == nil:
			case l == toSTS && n.stsErr != nil:
				n.checks[l] = e.do(ctx, noSTS(s, n.stsErr))
			case n.probes[l] != nil:
				if done[n.probes[l]] == nil {
					done[n.probes[l]] = e.do(ctx, e.reach(l, n.probes[l], s.registry.Public()))
				}
				n.checks[l] = done[n.probes[l]]
			}
		}
	}
}

// reach returns the check of a host. ECR Public's API is useful but not required.
func (e *examination) reach(l leg, p *probe, public bool) *diagnosis.Check {
	return &diagnosis.Check{Kind: legKinds[l].kind, Subject: p.url.Host, Run: func(ctx context.Context) diagnosis.Finding {
		r := p.wait(ctx)
		f := reachable(p, r, legKinds[l].service)
		switch {
		case f.Result != diagnosis.Failed:
		case public && l == toECR:
			return diagnosis.Warn(f.Detail, anonymousPull)
		case l >= toRegistry:
			f.Hint = hintOfRuntime(r.err, legKinds[l].service)
		}
		return f
	}}
}

// noSTS returns the check of a plan without an STS endpoint. The error says why there
// is none.
func noSTS(s *subject, err error) *diagnosis.Check {
	return &diagnosis.Check{Kind: reachSTS, Subject: s.entry.Name, Run: func(context.Context) diagnosis.Finding {
		return diagnosis.Fail(diagnosis.Node, err.Error(), "correct sts.region or endpoints.sts in the configuration, or AWS_REGION in the provider's env")
	}}
}
