package iampolicy_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

const (
	node   = "arn:aws:iam::111122223333:role/node"
	pull   = "arn:aws:iam::444455556666:role/ecr-pull"
	teamA  = "arn:aws:ecr:*:444455556666:repository/team-a/*"
	issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
)

// TestStatements compares each statement in its printed form.
func TestStatements(t *testing.T) {
	t.Parallel()
	plain := rule.NewRole(pull, "session")
	tagged := plain
	tagged.ExternalID, tagged.Tags = "images", []rule.Tag{{Key: "team"}}
	everywhere := rule.NewRole("arn:aws:iam::*:role/ecr-pull", "session")
	claims := plan.Claims{Issuer: issuer, Subject: "system:serviceaccount:team-a:app", Audience: []string{"sts.amazonaws.com"}}
	image, _ := registry.Parse("444455556666.dkr.ecr.eu-west-1.amazonaws.com/team-a/app:v1")
	china, err := registry.ParseRegion("cn-north-1")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		got  iampolicy.Statement
		want string
	}{
		{
			"assume", iampolicy.AssumeRole(plain),
			`{"Sid":"AssumePullRole","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/ecr-pull"}`,
		},
		{
			"assume with tags", iampolicy.AssumeRole(tagged),
			`{"Sid":"AssumePullRole","Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::444455556666:role/ecr-pull"}`,
		},
		{
			"assume in an organization", iampolicy.AssumeRoleOfOrganization(everywhere, "o-example123", []string{"602401143452"}),
			`{"Sid":"AssumePullRoleOfOrganization","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/ecr-pull",` +
				`"Condition":{"StringEquals":{"aws:ResourceOrgID":"o-example123"},"StringNotEquals":{"aws:ResourceAccount":"602401143452"}}}`,
		},
		{
			"trust", iampolicy.TrustRole(node, plain),
			`{"Sid":"TrustCaller","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/node"},"Action":"sts:AssumeRole"}`,
		},
		{
			"trust with tags and external ID", iampolicy.TrustRole(node, tagged),
			`{"Sid":"TrustCaller","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/node"},"Action":["sts:AssumeRole","sts:TagSession"],` +
				`"Condition":{"StringEquals":{"sts:ExternalId":"images"}}}`,
		},
		{
			"trust an organization", iampolicy.TrustOrganization("o-example123", "arn:aws:iam::*:role/node*", plain),
			`{"Sid":"TrustOrganization","Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole",` +
				`"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/node*"},"StringEquals":{"aws:PrincipalOrgID":"o-example123"}}}`,
		},
		{
			"trust a service account", iampolicy.TrustServiceAccount(claims, plain),
			`{"Sid":"TrustServiceAccount","Effect":"Allow","Principal":{"Federated":"arn:aws:iam::444455556666:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"},` +
				`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:aud":"sts.amazonaws.com",` +
				`"oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE:sub":"system:serviceaccount:team-a:app"}}}`,
		},
		{"token", iampolicy.Token(), `{"Sid":"Token","Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}`},
		{
			"token of ECR Public", iampolicy.PublicToken(),
			`{"Sid":"PublicToken","Effect":"Allow","Action":["ecr-public:GetAuthorizationToken","sts:GetServiceBearerToken"],"Resource":"*"}`,
		},
		{
			"pull an image", iampolicy.Pull(rule.PullOnly, iampolicy.RepositoryARN(image)),
			`{"Sid":"Pull","Effect":"Allow","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability"],` +
				`"Resource":"arn:aws:ecr:eu-west-1:444455556666:repository/team-a/app"}`,
		},
		{
			"pull through a cache", iampolicy.Pull(rule.PullThroughCache, teamA),
			`{"Sid":"Pull","Effect":"Allow","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability",` +
				`"ecr:BatchImportUpstreamImage","ecr:CreateRepository"],"Resource":"arn:aws:ecr:*:444455556666:repository/team-a/*"}`,
		},
		{
			"repository policy", iampolicy.PullBy(node),
			`{"Sid":"PullByNodes","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/node"},` +
				`"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability"]}`,
		},
		{
			"registry policy for an organization", iampolicy.PullByOrganization("o-example123", "arn:aws:iam::*:role/node*", teamA),
			`{"Sid":"PullByNodes","Effect":"Allow","Principal":{"AWS":"*"},` +
				`"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability"],"Resource":"arn:aws:ecr:*:444455556666:repository/team-a/*",` +
				`"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/node*"},"StringEquals":{"aws:PrincipalOrgID":"o-example123"}}}`,
		},
		{
			"endpoint: assume", iampolicy.PassAssumeRole(node, tagged),
			`{"Sid":"AssumePullRole","Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession"],` +
				`"Resource":"arn:aws:iam::444455556666:role/ecr-pull","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/node"}}}`,
		},
		{
			"endpoint: service account", iampolicy.PassServiceAccount(plain),
			`{"Sid":"AssumeRoleOfServiceAccount","Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRoleWithWebIdentity",` +
				`"Resource":"arn:aws:iam::444455556666:role/ecr-pull"}`,
		},
		{
			"endpoint: own account", iampolicy.PassCallerIdentity(node),
			`{"Sid":"OwnAccount","Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:GetCallerIdentity","Resource":"*",` +
				`"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/node"}}}`,
		},
		{
			"endpoint: token", iampolicy.PassToken(pull),
			`{"Sid":"Token","Effect":"Allow","Principal":{"AWS":"*"},"Action":"ecr:GetAuthorizationToken","Resource":"*",` +
				`"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/ecr-pull"}}}`,
		},
		{
			"endpoint: pull", iampolicy.PassPull(pull, rule.NoPolicy, teamA),
			`{"Sid":"Pull","Effect":"Allow","Principal":{"AWS":"*"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability"],` +
				`"Resource":"arn:aws:ecr:*:444455556666:repository/team-a/*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/ecr-pull"}}}`,
		},
		{
			"endpoint: layers", iampolicy.PassLayers(china),
			`{"Sid":"Layers","Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::prod-cn-north-1-starport-layer-bucket/*"}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(test.got)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			var back iampolicy.Statement
			if err := json.Unmarshal(got, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.got, back); diff != "" {
				t.Errorf("read back: -want +got\n%s", diff)
			}
		})
	}
}

// TestNewDocument: a document unites statements, leaves out covered ones, and allows
// nothing more.
func TestNewDocument(t *testing.T) {
	t.Parallel()
	role := func(name string, tags ...rule.Tag) rule.Role {
		r := rule.NewRole("arn:aws:iam::444455556666:role/"+name, "session")
		r.Tags = tags
		return r
	}
	with := func(r rule.Role, externalID string) rule.Role { r.ExternalID = externalID; return r }
	tag := rule.Tag{Key: "team"}
	tests := []struct {
		name       string
		statements []iampolicy.Statement
		want       string
	}{
		{
			"resources are united",
			[]iampolicy.Statement{iampolicy.AssumeRole(role("a")), iampolicy.Token(), iampolicy.AssumeRole(role("b")), iampolicy.Token()},
			`[{"Sid":"AssumePullRole","Effect":"Allow","Action":"sts:AssumeRole","Resource":["arn:aws:iam::444455556666:role/a","arn:aws:iam::444455556666:role/b"]},` +
				`{"Sid":"Token","Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}]`,
		},
		{
			"what another statement covers is left out",
			[]iampolicy.Statement{iampolicy.AssumeRole(role("a")), iampolicy.AssumeRole(role("b")), iampolicy.AssumeRole(role("b", tag))},
			`[{"Sid":"AssumePullRole","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/a"},` +
				`{"Sid":"AssumePullRole2","Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"arn:aws:iam::444455556666:role/b"}]`,
		},
		{
			"what a pattern covers is left out",
			[]iampolicy.Statement{iampolicy.Pull(0, teamA+"x", teamA), iampolicy.Pull(0, "arn:aws:ecr:*:444455556666:repository/*")},
			`[{"Sid":"Pull","Effect":"Allow","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability"],` +
				`"Resource":"arn:aws:ecr:*:444455556666:repository/*"}]`,
		},
		{
			"callers are united, external IDs too, but not both at once",
			[]iampolicy.Statement{
				iampolicy.TrustRole(node, with(role("a"), "1")), iampolicy.TrustRole(node, with(role("a"), "2")), iampolicy.TrustRole(pull, with(role("a"), "3")),
			},
			`[{"Sid":"TrustCaller","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/node"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":["1","2"]}}},` +
				`{"Sid":"TrustCaller2","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/ecr-pull"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"3"}}}]`,
		},
		{
			"exceptions are not united",
			[]iampolicy.Statement{
				iampolicy.AssumeRoleOfOrganization(role("a"), "o-1", []string{"111122223333"}), iampolicy.AssumeRoleOfOrganization(role("a"), "o-1", []string{"444455556666"}),
			},
			`[{"Sid":"AssumePullRoleOfOrganization","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/a","Condition":{"StringEquals":{"aws:ResourceOrgID":"o-1"},"StringNotEquals":{"aws:ResourceAccount":"111122223333"}}},` +
				`{"Sid":"AssumePullRoleOfOrganization2","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/a","Condition":{"StringEquals":{"aws:ResourceOrgID":"o-1"},"StringNotEquals":{"aws:ResourceAccount":"444455556666"}}}]`,
		},
		{
			"fewer exceptions allow more",
			[]iampolicy.Statement{
				iampolicy.AssumeRoleOfOrganization(role("a"), "o-1", []string{"111122223333", "444455556666"}), iampolicy.AssumeRoleOfOrganization(role("a"), "o-1", []string{"111122223333"}),
			},
			`[{"Sid":"AssumePullRoleOfOrganization","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/a","Condition":{"StringEquals":{"aws:ResourceOrgID":"o-1"},"StringNotEquals":{"aws:ResourceAccount":["111122223333","444455556666"]}}},` +
				`{"Sid":"AssumePullRoleOfOrganization2","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/a","Condition":{"StringEquals":{"aws:ResourceOrgID":"o-1"},"StringNotEquals":{"aws:ResourceAccount":"111122223333"}}}]`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := iampolicy.NewDocument(test.statements...)
			got, err := json.Marshal(d.Statement)
			if err != nil || d.Version != "2012-10-17" {
				t.Fatalf("got version %s, %v, want 2012-10-17", d.Version, err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
