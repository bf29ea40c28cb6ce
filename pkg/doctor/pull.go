package doctor

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/ecr"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/pull"
	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// pulled executes a plan and pulls: roles, token, registry.
func (e *examination) pulled(ctx context.Context, s *subject) {
	n := e.network.needs[s]
	if n == nil {
		n = &needs{} // the SDK's settings are missing, and every check below needs them
		e.network.needs = map[*subject]*needs{s: n}
	}
	ready := e.assumed(ctx, s)
	token := e.do(ctx, &diagnosis.Check{
		Kind: requestToken, Subject: s.registry.Host(), Image: s.name,
		Needs: []*diagnosis.Check{e.settings, s.planned, ready, n.checks[toECR]},
		Run:   func(ctx context.Context) diagnosis.Finding { return e.authorized(ctx, s) },
	})
	if s.registry.Public() {
		return // public images need no token of ECR
	}
	registry := pull.Registry{Host: s.registry.Host(), Login: s.token.Login, Send: func(r *http.Request) (*http.Response, error) {
		return e.aws.api.Send(e.network.runtime.client, r)
	}}
	accepted := e.do(ctx, &diagnosis.Check{
		Kind: acceptsToken, Image: s.name, Needs: []*diagnosis.Check{token, n.checks[toRegistry]},
		Run: func(ctx context.Context) diagnosis.Finding {
			return e.answered(registry.Ping(ctx), s, "GET /v2/")
		},
	})
	if s.image.Repository() != "" {
		e.imagePulled(ctx, s, registry, accepted)
	}
}

// anonymousPull is the hint for failures that do not matter to ECR Public.
const anonymousPull = "images of ECR Public are pulled without a token, at a lower rate"

// authorized requests the token.
func (e *examination) authorized(ctx context.Context, s *subject) diagnosis.Finding {
	if s.registry.Public() && e.credentials.Result != diagnosis.OK {
		return diagnosis.Warn("the node has no credentials", anonymousPull)
	}
	ctx, cancel := context.WithTimeout(ctx, e.Limits.Call)
	defer cancel()
	var err error
	if s.registry.Public() {
		s.token, err = ecr.AuthorizePublic(ctx, e.aws.api, s.session)
	} else {
		s.token, err = ecr.Authorize(ctx, e.aws.api, s.plan.API, s.registry.Host(), s.session)
	}
	switch {
	case err == nil:
		_, password := s.token.Login.Cut(":")
		e.aws.api.KeepSecret(password)
		e.aws.api.KeepSecret(secret.New(base64.StdEncoding.EncodeToString([]byte(s.token.Login.Reveal())))) // as in requests
		return diagnosis.Fine("as " + s.session.Principal + ", valid for " + rule.ShortDuration(s.token.Life.Round(time.Minute)))
	case s.registry.Public():
		return diagnosis.Warn(cause(err), anonymousPull)
	}
	return e.notAuthorized(err, e.roleOfToken(s))
}

// roleOfToken returns the ARN of the role that requests the token. It is empty if
// that is not known.
func (e *examination) roleOfToken(s *subject) string {
	if s.session.Ends.IsZero() {
		return iampolicy.RoleOfSession(e.aws.caller.ARN)
	}
	return s.session.Principal
}

// imagePulled requests the image's manifest and a layer.
func (e *examination) imagePulled(ctx context.Context, s *subject, registry pull.Registry, accepted *diagnosis.Check) {
	var manifest pull.Manifest
	read := e.do(ctx, &diagnosis.Check{
		Kind: readManifest, Subject: s.reference, Image: s.name, Needs: []*diagnosis.Check{accepted},
		Run: func(ctx context.Context) (f diagnosis.Finding) {
			if e.importsImages(s) && !e.Import {
				return diagnosis.Skip("asking for an image makes a pull-through cache import it; to do that, use --import")
			}
			manifest, f = e.manifest(ctx, s, registry)
			return f
		},
	})
	e.do(ctx, &diagnosis.Check{
		Kind: readLayer, Image: s.name, Needs: []*diagnosis.Check{read, e.network.needs[s].checks[toLayers]},
		Run: func(ctx context.Context) diagnosis.Finding {
			ctx, cancel := context.WithTimeout(ctx, e.Limits.Call)
			defer cancel()
			host, err := registry.Layer(ctx, s.image.Repository(), manifest)
			if err != nil {
				return e.noLayer(err, s, host)
			}
			return diagnosis.Fine("from " + host)
		},
	})
}

// importsImages reports whether the repository may belong to a pull-through cache. The
// image's name, a role's session policy or the prefix of a mirror can say so.
func (e *examination) importsImages(s *subject) bool {
	if s.image.Mirrored() {
		return true
	}
	for _, role := range s.plan.Roles {
		if role.PolicyKind() == rule.PullThroughCache {
			return true
		}
	}
	for _, m := range e.config.Mirrors {
		of := m.Registry()
		if m.Prefix() != "" && strings.HasPrefix(s.image.Repository(), m.Prefix()) &&
			of.Account() == s.registry.Account() && of.Region() == s.registry.Region() {
			return true
		}
	}
	return false
}

// manifest requests the manifest by HEAD, as a runtime does, and then by GET. The answer
// to a HEAD has no body, so only the GET shows the reason for a refusal.
func (e *examination) manifest(ctx context.Context, s *subject, registry pull.Registry) (pull.Manifest, diagnosis.Finding) {
	ctx, cancel := context.WithTimeout(ctx, e.Limits.Call)
	defer cancel()
	headErr := registry.Resolve(ctx, s.image.Repository(), s.reference)
	m, err := registry.Image(ctx, s.image.Repository(), s.reference, e.Architecture)
	if err = cmp.Or(err, headErr); err != nil {
		return m, e.answered(err, s, "")
	}
	return m, diagnosis.Fine("")
}

// answered returns the finding for a registry's answer.
func (e *examination) answered(err error, s *subject, what string) diagnosis.Finding {
	if err == nil {
		return diagnosis.Fine(what)
	}
	refusal, ok := errors.AsType[*pull.Refusal](err)
	if !ok {
		f := diagnosis.Fail(diagnosis.AWS, e.aws.api.Clean(cause(err)), "")
		if awsErr, ok := errors.AsType[*awsapi.Error](err); ok {
			f.Cause.Side, f.Hint = sideOfNetwork(err), awsapi.Hint(awsErr, "the registry")
		}
		return f
	}
	return e.notPulled(refusal, s)
}

// notPulled finds the side and the hint for a registry's refusal. It recognizes a
// refusal by its status and the registry's own texts.
func (e *examination) notPulled(r *pull.Refusal, s *subject) diagnosis.Finding {
	text := e.aws.api.Clean(r.Error())
	owner := s.registry.Account().String()
	f := diagnosis.Fail(diagnosis.ImagesAccount, text, "")
	f.Cause.Account = owner
	d, denied := parseDenial(text)
	switch words := strings.ToLower(text); {
	case denied:
		return e.pullDenied(text, d, s)
	case strings.Contains(words, "token has expired"):
		f.Cause, f.Hint = diagnosis.Cause{Side: diagnosis.Node}, "the token is for the registries of "+s.plan.API.Region.String()+"; check that the node's clock is right and the endpoint in endpoints.ecr is of that region"
	case r.Status == http.StatusUnauthorized:
		f.Cause, f.Hint = diagnosis.Cause{Side: diagnosis.Endpoint}, "ECR does not know the token that its API has just issued; check which server or proxy answers as "+r.Host
	case r.Status == http.StatusNotFound && strings.Contains(words, "does not exist in the registry"):
		f.Hint = "the repository does not exist in account " + owner + ", region " + s.registry.Region().String() + "; check the image's name, or create the repository there"
	case r.Status == http.StatusNotFound:
		f.Hint = "the repository has no image " + s.reference + "; check the tag or push the image"
	case r.Status == http.StatusTooManyRequests || strings.Contains(words, "toomanyrequests"):
		f.Cause, f.Hint = diagnosis.Cause{Side: diagnosis.AWS}, "wait; the quota for pulls of account "+owner+" is used up"
	case r.Status >= http.StatusInternalServerError:
		f.Cause, f.Hint = diagnosis.Cause{Side: diagnosis.AWS}, "wait, and check the AWS Health Dashboard"
	case strings.Contains(words, "security token"):
		f.Cause, f.Hint = diagnosis.Cause{Side: diagnosis.AWS}, "the session that got the token is not valid any more; the next token works"
	default:
		f.Cause.Side, f.Hint = diagnosis.Unknown, "check which server or proxy answers as "+r.Host
	}
	return f
}

// pullDenied finds the side and the hint for a denied action on the repository.
func (e *examination) pullDenied(text string, d denial, s *subject) diagnosis.Finding {
	role := e.callersRole(e.roleOfToken(s), d)
	repository := iampolicy.RepositoryARN(s.image)
	kind, byOwner := rule.PullOnly, iampolicy.PullBy(role)
	if e.importsImages(s) || ofCache(d.action) {
		kind = rule.PullThroughCache
	}
	if d.action == "ecr:BatchImportUpstreamImage" {
		byOwner.Action = append(byOwner.Action, d.action)
	}
	f := e.refused(errors.New(text), d, request{
		caller: role, owner: s.registry.Account().String(), target: repository,
		byCaller:   missingStatement(e.callersPolicy(role), role, iampolicy.Pull(kind, repository)),
		byOwner:    missingStatement(repositoryPolicy, repository, byOwner),
		byEndpoint: missingStatement(endpointPolicy, "the ecr.dkr endpoint of the nodes' VPC", iampolicy.PassPull(role, kind, repository)),
		unexplained: "the policy of " + role + " must allow " + d.action + " on " + repository + ", and if it is not a role of account " +
			s.registry.Account().String() + ", the repository's policy must allow it too",
	})
	if d.policy == resourceBased && !d.explicit && accountOf(role) != s.registry.Account().String() {
		f.Hint += fmt.Sprintf("; check the repository's name, and whether the entry should assume a role of account %s", s.registry.Account())
	}
	return f
}

// ofCache reports whether only pulls through a cache need the action.
func ofCache(action string) bool {
	return slices.Contains(rule.PullThroughCache.PullActions(), action) && !slices.Contains(rule.PullOnly.PullActions(), action)
}

// noLayer finds the side and the hint for a refused layer. Either ECR or S3 refuses it.
// S3 does so if its gateway endpoint forbids the download.
func (e *examination) noLayer(err error, s *subject, host string) diagnosis.Finding {
	refusal, ok := errors.AsType[*pull.Refusal](err)
	if !ok || refusal.Host == s.registry.Host() || refusal.Status != http.StatusForbidden {
		return e.answered(err, s, "")
	}
	f := diagnosis.Fail(diagnosis.Endpoint, e.aws.api.Clean(refusal.Error()),
		"the policy of the VPC's gateway endpoint for S3 must allow s3:GetObject on the bucket of ECR's layers")
	f.Cause.Account = e.aws.caller.Account
	f.Cause.Missing = missingStatement(endpointPolicy, "the S3 gateway endpoint of the nodes' VPC, for "+host, iampolicy.PassLayers(s.registry.Region()))
	return f
}
