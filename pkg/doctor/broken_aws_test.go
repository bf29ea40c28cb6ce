package doctor

import (
	"strings"
	"sync"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/secret"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

const (
	hubRole    = "arn:aws:iam::" + fakeaws.SecondAccount + ":role/hub"
	secondRole = "arn:aws:iam::" + fakeaws.SecondAccount + ":role/ecr-pull"
	secondHost = fakeaws.SecondAccount + ".dkr.ecr.eu-west-1.amazonaws.com"
)

var cluster = sync.OnceValues(func() (*fakeaws.Issuer, error) { return fakeaws.NewIssuer("https://oidc.example.com/cluster") })

func issuer(t *testing.T) *fakeaws.Issuer {
	t.Helper()
	i, err := cluster()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// trust sets who may assume the role of the first account.
func (n *node) trust(trust ...fakeaws.Trust) {
	n.world.SetRole(fakeaws.Role{ARN: pullRole, Trust: trust, Pull: []string{"arn:aws:ecr:eu-west-1:" + fakeaws.FirstAccount + ":repository/*"}})
}

// deny makes STS or ECR deny an operation in AWS's words.
func deny(service fakeaws.Service, operation, reason string) func(*node) {
	action := map[fakeaws.Service]string{fakeaws.STS: "sts:", fakeaws.ECR: "ecr:"}[service] + operation
	user, resource := "arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0", pullRole
	if service == fakeaws.ECR {
		user, resource = "arn:aws:sts::444455556666:assumed-role/ecr-pull/i-0123456789abcdef0", "*"
	}
	return func(n *node) {
		n.aws.Break(service, fakeaws.Fault{
			Kind: fakeaws.Error, Operation: operation, Status: 403, Code: "AccessDenied",
			Message: strings.TrimSpace("User: " + user + " is not authorized to perform: " + action + " on resource: " + resource + " " + reason),
		})
	}
}

// unnamed makes STS refuse to say who the node is.
func unnamed(n *node) {
	deny(fakeaws.STS, "GetCallerIdentity", "because no VPC endpoint policy allows the sts:GetCallerIdentity action")(n)
}

func brokenRoles() []broken {
	const first, nodes = fakeaws.FirstAccount, fakeaws.NodeAccount
	owner, ours := diagnosis.ImagesAccount, diagnosis.NodesAccount
	return []broken{
		{name: "trust policy", code: "D19", side: diagnosis.Unknown, account: first, policy: trustPolicy, attachTo: pullRole, words: "STS gives no reason", breakIt: func(n *node) {
			n.trust(fakeaws.Trust{Principal: "arn:aws:iam::" + nodes + ":role/other"})
		}},
		{name: "external ID", code: "D19", side: diagnosis.Unknown, account: first, policy: trustPolicy, attachTo: pullRole, words: "requires no external ID", breakIt: func(n *node) {
			n.trust(fakeaws.Trust{Principal: nodeRole, ExternalID: "another"})
		}},
		{
			name: "nodes' policy", code: "D19", side: ours, account: nodes, policy: nodePolicy, attachTo: nodeRole, words: "add the statement to the policy of " + nodeRole,
			breakIt: deny(fakeaws.STS, "AssumeRole", "because no identity-based policy allows the sts:AssumeRole action"),
		},
		{
			name: "trust policy, in AWS's words", code: "D19", side: owner, account: first, policy: trustPolicy, attachTo: pullRole, words: "the owner of account " + first,
			breakIt: deny(fakeaws.STS, "AssumeRole", "because no resource-based policy allows the sts:AssumeRole action"),
		},
		{
			name: "policy of the endpoint", code: "D19", side: diagnosis.Endpoint, account: nodes, policy: endpointPolicy, attachTo: "the STS endpoint of the nodes' VPC", words: "VPC endpoint",
			breakIt: deny(fakeaws.STS, "AssumeRole", "because no VPC endpoint policy allows the sts:AssumeRole action"),
		},
		{
			name: "service control policy", code: "D19", side: ours, account: nodes, words: "no further Allow helps",
			breakIt: deny(fakeaws.STS, "AssumeRole", "with an explicit deny in a service control policy"),
		},
		{
			name: "resource control policy", code: "D19", side: owner, account: first, words: "a resource control policy",
			breakIt: deny(fakeaws.STS, "AssumeRole", "because no resource control policy allows the sts:AssumeRole action"),
		},
		{
			name: "permissions boundary", code: "D19", side: ours, account: nodes, words: "the permissions boundary of " + nodeRole,
			breakIt: deny(fakeaws.STS, "AssumeRole", "because no permissions boundary allows the sts:AssumeRole action"),
		},
		{name: "session too long", code: "D19", side: diagnosis.Node, words: "lower the duration of this role", breakIt: func(n *node) {
			n.replace("{arn: \""+pullRole+"\"}", "{arn: \""+pullRole+"\", duration: 12h}")
		}},
		{name: "throttled", code: "D19", side: diagnosis.AWS, words: "Rate exceeded", breakIt: func(n *node) {
			f := fakeaws.Throttled(0)
			f.Operation = "AssumeRole"
			n.aws.Break(fakeaws.STS, f)
		}},
		{name: "second role of a chain", code: "D19", side: diagnosis.Unknown, account: fakeaws.SecondAccount, policy: trustPolicy, attachTo: secondRole, words: hubRole, breakIt: func(n *node) {
			n.chain("wrong-external-id")
		}},
		{name: "refused, and the chain continues as the node", code: "D19", result: diagnosis.Warning, words: "whenRefused of registries[0]", breakIt: func(n *node) {
			n.trust()
			n.replace("  assumeRoles", "  whenRefused: Node\n  assumeRoles")
			n.world.SetRole(fakeaws.Role{ARN: nodeRole, Pull: []string{"*"}})
			n.world.AllowPull(fakeaws.Repository{Account: first, Region: "eu-west-1"}, nodeRole)
		}},
		{name: "external ID that is not required", code: "D20", result: diagnosis.Warning, words: "does not require", breakIt: func(n *node) {
			n.replace("{arn: \""+pullRole+"\"}", "{arn: \""+pullRole+"\", externalID: example-id}")
			n.doctor.ProbeExternalID = true
		}},
		{name: "external ID that the second role of a chain does not require", code: "D20", result: diagnosis.Warning, words: "account " + fakeaws.SecondAccount, breakIt: func(n *node) {
			n.chain(fakeaws.ExampleExternalID)
			n.world.SetRole(fakeaws.Role{ARN: secondRole, Trust: []fakeaws.Trust{{Principal: hubRole}}, Pull: []string{"*"}})
			n.doctor.ProbeExternalID = true
		}},
		{name: "external ID that is required", code: "D20", result: diagnosis.OK, words: "refused, as it should be", breakIt: func(n *node) {
			n.chain(fakeaws.ExampleExternalID)
			n.world.SetRole(fakeaws.Role{ARN: secondRole, Trust: []fakeaws.Trust{{Principal: hubRole, ExternalID: fakeaws.ExampleExternalID}}, Pull: []string{"*"}})
			n.doctor.ProbeExternalID = true
		}},
		{name: "role without the token", code: "D21", side: owner, account: first, policy: permissionsPolicy, attachTo: pullRole, words: "ecr:GetAuthorizationToken", breakIt: func(n *node) {
			n.world.SetRole(fakeaws.Role{ARN: pullRole, Trust: []fakeaws.Trust{{Principal: nodeRole}}, DenyToken: true})
		}},
		{name: "node without the token", code: "D21", side: ours, account: nodes, policy: nodePolicy, attachTo: nodeRole, words: "ecr:GetAuthorizationToken", breakIt: func(n *node) {
			n.images = []string{nodesHost + "/app"}
			n.world.SetRole(fakeaws.Role{ARN: nodeRole, DenyToken: true})
		}},
		{name: "unnamed node without the token", code: "D21", side: ours, account: nodes, policy: nodePolicy, attachTo: nodeRole, words: "ecr:GetAuthorizationToken", breakIt: func(n *node) {
			n.images = []string{nodesHost + "/app"}
			n.world.SetRole(fakeaws.Role{ARN: nodeRole, DenyToken: true})
			unnamed(n)
		}},
		{
			name: "policy of the ecr.api endpoint", code: "D21", side: diagnosis.Endpoint, account: first, policy: endpointPolicy, attachTo: "the ecr.api endpoint of the nodes' VPC", words: "VPC endpoint",
			breakIt: deny(fakeaws.ECR, "GetAuthorizationToken", "because no VPC endpoint policy allows the ecr:GetAuthorizationToken action"),
		},
	}
}

// chain gives the image's entry a chain of two roles.
func (n *node) chain(externalID string) {
	n.config = "registries:\n- accounts: [\"" + fakeaws.SecondAccount + "\"]\n  assumeRoles:\n  - {arn: \"" + hubRole + "\"}\n" +
		"  - {arn: \"" + secondRole + "\", externalID: " + externalID + "}\n" + n.settings()
	n.images = []string{secondHost + "/team-a/app:v1"}
}

func brokenServiceAccounts() []broken {
	const first = fakeaws.FirstAccount
	return []broken{
		{name: "no OIDC provider", code: "D19", side: diagnosis.ImagesAccount, account: first, words: "create an IAM OIDC provider for https://oidc.example.com/cluster", breakIt: func(n *node) {
			n.asPod(pullRole)
		}},
		{name: "subject that is not trusted", code: "D19", side: diagnosis.Unknown, account: first, policy: trustPolicy, attachTo: pullRole, words: "system:serviceaccount:shop:web", breakIt: func(n *node) {
			n.asPod(pullRole)
			n.world.TrustIssuer(issuer(n.t))
		}},
		{name: "expired token", code: "D19", side: diagnosis.Node, words: "kubectl create token", breakIt: func(n *node) {
			n.asPod(pullRole)
			n.world.TrustIssuer(issuer(n.t))
			n.doctor.Pod.Token = secret.New(n.podToken("shop", "web", -time.Minute))
		}},
	}
}

func brokenRegistries() []broken {
	const first = fakeaws.FirstAccount
	const repository = "arn:aws:ecr:eu-west-1:" + first + ":repository/team-a/app"
	answering := func(service fakeaws.Service, operation string, status int, code, message string) func(*node) {
		return func(n *node) {
			n.aws.Break(service, fakeaws.Fault{Kind: fakeaws.Error, Operation: strings.ReplaceAll(operation, "DIGEST", n.layer), Status: status, Code: code, Message: message})
		}
	}
	return []broken{
		{
			name: "unknown token", code: "D22", side: diagnosis.Endpoint, words: "Not Authorized",
			breakIt: answering(fakeaws.Registry, "GET /v2/", 401, "", "Not Authorized"),
		},
		{
			name: "expired token", code: "D22", side: diagnosis.Node, words: "Reauthenticate",
			breakIt: answering(fakeaws.Registry, "GET /v2/", 403, "DENIED", "Your authorization token has expired. Reauthenticate and try again."),
		},
		{name: "role without pull", code: "D23", side: diagnosis.ImagesAccount, account: first, policy: permissionsPolicy, attachTo: pullRole, words: "ecr:BatchGetImage", breakIt: func(n *node) {
			n.world.SetRole(fakeaws.Role{ARN: pullRole, Trust: []fakeaws.Trust{{Principal: nodeRole}}})
		}},
		{name: "unnamed node without pull", code: "D23", side: diagnosis.NodesAccount, account: fakeaws.NodeAccount, policy: nodePolicy, attachTo: nodeRole, words: "ecr:BatchGetImage", breakIt: func(n *node) {
			n.images = []string{nodesHost + "/app"}
			n.world.SetRole(fakeaws.Role{ARN: nodeRole})
			unnamed(n)
		}},
		{name: "node's token without the owner's policy", code: "D23", side: diagnosis.ImagesAccount, account: first, policy: repositoryPolicy, attachTo: repository, words: "resource-based", breakIt: func(n *node) {
			n.replace("\""+first, "\""+fakeaws.SecondAccount)
			n.world.SetRole(fakeaws.Role{ARN: nodeRole, Pull: []string{"*"}})
		}},
		{name: "no such repository", code: "D23", side: diagnosis.ImagesAccount, account: first, words: "the repository does not exist in account " + first, breakIt: func(n *node) {
			n.images = []string{firstHost + "/team-a/typo:v1"}
		}},
		{name: "no such tag", code: "D23", side: diagnosis.ImagesAccount, account: first, words: "no image v2", breakIt: func(n *node) {
			n.images = []string{firstHost + "/team-a/app:v2"}
		}},
		{
			name: "throttled", code: "D23", side: diagnosis.AWS, words: "Rate exceeded",
			breakIt: answering(fakeaws.Registry, "GET /v2/team-a/app/manifests/v1", 429, "TOOMANYREQUESTS", "Rate exceeded"),
		},
		{
			name: "policy of the S3 endpoint", code: "D24", side: diagnosis.Endpoint, account: fakeaws.NodeAccount, policy: endpointPolicy,
			attachTo: "the S3 gateway endpoint of the nodes' VPC, for " + bucket, words: "s3:GetObject",
			breakIt: answering(fakeaws.S3, "", 403, "AccessDenied", "Access Denied"),
		},
		{
			name: "role without layers", code: "D24", side: diagnosis.ImagesAccount, account: first, policy: permissionsPolicy, attachTo: pullRole, words: "ecr:GetDownloadUrlForLayer",
			breakIt: answering(fakeaws.Registry, "GET /v2/team-a/app/blobs/DIGEST", 403, "DENIED", "User: arn:aws:sts::444455556666:assumed-role/ecr-pull/i-0 is not authorized to perform: "+
				"ecr:GetDownloadUrlForLayer on resource: "+repository+" because no identity-based policy allows the ecr:GetDownloadUrlForLayer action"),
		},
		{name: "pull-through cache", code: "D23", result: diagnosis.Skipped, words: "--import", breakIt: func(n *node) {
			n.replace("{arn: \""+pullRole+"\"}", "{arn: \""+pullRole+"\", policy: PullThroughCache}")
		}},
		{name: "the prefix of a mirror", code: "D23", result: diagnosis.Skipped, words: "--import", breakIt: func(n *node) {
			mirror(goodHosts)(n)
			n.images = []string{firstHost + "/docker-hub/library/nginx:v1"}
		}},
	}
}
