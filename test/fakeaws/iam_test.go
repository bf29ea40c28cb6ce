package fakeaws

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// asAdministrator sends a request of an administrator to IAM's Query API.
func asAdministrator(t *testing.T, s *Server, as Credentials, action string, fields ...string) answer {
	t.Helper()
	r := stsRequest(s, action, fields...)
	r.url = s.URL(IAM) + "/"
	return send(t, newClient(t, s), r.sign(t, signing{as, "iam", "us-east-1", s.World.Now()}))
}

// TestSetUpByAPI: roles and policies that were set by IAM's API take effect.
func TestSetUpByAPI(t *testing.T) {
	t.Parallel()
	w := NewWorld(Node{Role: nodeRole})
	s := start(t, w, Options{})
	admin := w.Administrator("444455556666")
	node := session(w, nodeRole, time.Hour, false)
	trust := policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + nodeRole + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x1"}}}`)
	if got := assume(t, s, node, firstRole, "3600", "x1"); got.status != http.StatusForbidden {
		t.Fatalf("before: got %+v, want 403", got)
	}
	for _, step := range []struct {
		action, want string
		fields       []string
	}{
		{"GetRole", "NoSuchEntity", []string{"RoleName", "ecr-pull"}},
		{"CreateRole", "MalformedPolicyDocument", []string{"RoleName", "ecr-pull", "AssumeRolePolicyDocument", "{}"}},
		{"CreateRole", "", []string{"RoleName", "ecr-pull", "AssumeRolePolicyDocument", trust, "Tags.member.1.Key", "by", "Tags.member.1.Value", "me"}},
		{"CreateRole", "EntityAlreadyExists", []string{"RoleName", "ecr-pull", "AssumeRolePolicyDocument", trust}},
		{"PutRolePolicy", "", []string{"RoleName", "ecr-pull", "PolicyName", "pull", "PolicyDocument", policyOf(`{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`)}},
		{"PutRolePolicy", "NoSuchEntity", []string{"RoleName", "other", "PolicyName", "pull", "PolicyDocument", policyOf(`{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`)}},
		{"UpdateAssumeRolePolicy", "MalformedPolicyDocument", []string{"RoleName", "ecr-pull", "PolicyDocument", strings.Replace(trust, ":role/node", ":role/absent", 1)}},
		{"UpdateAssumeRolePolicy", "NoSuchEntity", []string{"RoleName", "other", "PolicyDocument", trust}},
		{"UpdateRole", "", []string{"RoleName", "ecr-pull", "MaxSessionDuration", "7200"}},
		{"TagRole", "", []string{"RoleName", "ecr-pull", "Tags.member.1.Key", "team", "Tags.member.1.Value", "a&b"}},
		{"DeleteRole", "InvalidAction", []string{"RoleName", "ecr-pull"}},
	} {
		if got := asAdministrator(t, s, admin, step.action, step.fields...); got.code != step.want {
			t.Errorf("%s %q: got %+v, want %q", step.action, step.fields[1], got, step.want)
		}
	}
	if got := assume(t, s, node, firstRole, "3600", "x1"); got.status != http.StatusOK {
		t.Errorf("after: got %+v, want 200", got)
	}
	if got := assume(t, s, node, firstRole, "3600", "x2"); got.status != http.StatusForbidden {
		t.Errorf("another external ID: got %+v, want 403", got)
	}
	for action, want := range map[string]string{
		"GetRole": "<Path>/</Path><RoleName>ecr-pull</RoleName>", "ListRoleTags": "<Value>me</Value></member><member><Key>team</Key><Value>a&amp;b</Value>", "ListRolePolicies": "<member>pull</member>",
	} {
		if got := asAdministrator(t, s, admin, action, "RoleName", "ecr-pull"); !strings.Contains(got.text, want) {
			t.Errorf("%s: got %+v, want %q", action, got, want)
		}
	}
	if got := assume(t, s, node, firstRole, "7200", "x1"); got.status != http.StatusOK {
		t.Errorf("longer sessions: got %+v, want 200", got)
	}
	if got := asAdministrator(t, s, admin, "GetRole", "RoleName", "ecr-pull"); !strings.Contains(got.text, "sts%3AExternalId") {
		t.Errorf("the trust policy: got %+v, want an external ID", got)
	}
	limited := NewWorld(Node{Role: nodeRole}, Role{ARN: nodeRole, Policies: map[string]string{}})
	other := start(t, limited, Options{})
	if got := asAdministrator(t, other, session(limited, nodeRole, time.Hour, false), "GetRole", "RoleName", "node"); got.code != "AccessDenied" {
		t.Errorf("the node uses IAM: got %+v, want a refusal", got)
	}
}

// TestProviderByAPI: an account trusts an issuer's tokens for an audience only if two
// conditions hold. It has an OIDC provider for issuer and audience, and the role's
// trust policy names that provider.
func TestProviderByAPI(t *testing.T) {
	t.Parallel()
	issuer, err := NewIssuer("https://oidc.example.com/id/1")
	if err != nil {
		t.Fatal(err)
	}
	const provider = "arn:aws:iam::444455556666:oidc-provider/oidc.example.com/id/1"
	trust := policyOf(`{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{
		"oidc.example.com/id/1:sub":"system:serviceaccount:shop:web","oidc.example.com/id/1:aud":"sts.amazonaws.com"}}}`)
	w := NewWorld(Node{Role: nodeRole}, Role{ARN: firstRole, TrustPolicy: trust})
	w.PublishIssuer(issuer)
	s := start(t, w, Options{})
	admin := w.Administrator("444455556666")
	exchange := func(name, audience string) answer {
		token, err := issuer.Token("shop", name, audience, w.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		r := stsRequest(s, "AssumeRoleWithWebIdentity", "RoleArn", firstRole, "RoleSessionName", "test", "WebIdentityToken", token)
		return send(t, newClient(t, s), r.unsigned(t))
	}
	if got := exchange("web", Audience); got.code != "InvalidIdentityToken" {
		t.Errorf("without a provider: got %+v, want InvalidIdentityToken", got)
	}
	if got := asAdministrator(t, s, admin, "CreateOpenIDConnectProvider", "Url", issuer.URL, "ClientIDList.member.1", "other", "Tags.member.1.Key", "by", "Tags.member.1.Value", "me"); !strings.Contains(got.text, provider) {
		t.Fatalf("got %+v, want %q", got, provider)
	}
	if got := exchange("web", Audience); got.code != "InvalidIdentityToken" {
		t.Errorf("for another audience: got %+v, want InvalidIdentityToken", got)
	}
	asAdministrator(t, s, admin, "AddClientIDToOpenIDConnectProvider", "OpenIDConnectProviderArn", provider, "ClientID", Audience)
	if got := exchange("web", Audience); got.status != http.StatusOK {
		t.Errorf("with all: got %+v, want 200", got)
	}
	if got := exchange("api", Audience); got.code != "AccessDenied" {
		t.Errorf("another subject: got %+v, want AccessDenied", got)
	}
	if got := exchange("web", "other"); got.code != "AccessDenied" {
		t.Errorf("another audience: got %+v, want AccessDenied", got)
	}
	asAdministrator(t, s, admin, "TagOpenIDConnectProvider", "OpenIDConnectProviderArn", provider, "Tags.member.1.Key", "for", "Tags.member.1.Value", "pods")
	for action, want := range map[string]string{
		"GetOpenIDConnectProvider":      "<ClientIDList><member>other</member><member>" + Audience + "</member></ClientIDList>",
		"ListOpenIDConnectProviders":    provider,
		"ListOpenIDConnectProviderTags": "<member><Key>by</Key><Value>me</Value></member><member><Key>for</Key><Value>pods</Value></member>",
	} {
		if got := asAdministrator(t, s, admin, action, "OpenIDConnectProviderArn", provider); !strings.Contains(got.text, want) {
			t.Errorf("%s: got %+v, want %q", action, got, want)
		}
	}
}

// TestRoleOfShortForms: the trust policy of a role that was set by Trust is a valid
// document, and has the same effect when it is set as TrustPolicy.
func TestRoleOfShortForms(t *testing.T) {
	t.Parallel()
	w := ExampleWorld()
	const pull = "arn:aws:iam::" + SecondAccount + ":role/ecr-pull"
	role, ok := w.role(pull)
	if !ok {
		t.Fatal("no role")
	}
	d, err := parseDocument(role.trustPolicy().json(), trustPolicy)
	if err != nil {
		t.Fatalf("%s: %v", role.trustPolicy().json(), err)
	}
	s := start(t, w, Options{})
	w.SetRole(Role{ARN: pull, TrustPolicy: MustJSON(d)})
	for externalID, want := range map[string]int{ExampleExternalID: http.StatusOK, "": http.StatusForbidden} {
		as := session(w, "arn:aws:iam::"+SecondAccount+":role/hub", time.Hour, false)
		if got := assume(t, s, as, pull, "3600", externalID); got.status != want {
			t.Errorf("external ID %q: got %+v, want %d", externalID, got, want)
		}
	}
}

// TestPoliciesByAPI: policies of a repository and a registry that were set by ECR's API
// take effect.
func TestPoliciesByAPI(t *testing.T) {
	t.Parallel()
	w := NewWorld(Node{Role: nodeRole}, Role{ARN: nodeRole, Pull: []string{"*"}})
	app := Repository{FirstAccount, "eu-west-1", "app"}
	s := start(t, w, Options{})
	admin := w.Administrator(FirstAccount)
	call := func(operation string, fields map[string]string) answer {
		r := ecrRequest(s)
		r.body = MustJSON(fields)
		r.header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921."+operation)
		return send(t, newClient(t, s), r.sign(t, signing{admin, "ecr", "eu-west-1", w.Now()}))
	}
	grant := Grant{Principal: sessionARN(nodeRole, "i-0"), Role: nodeRole, Region: "eu-west-1"}
	allow := func(who, resource string) string {
		return policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + who + `"},"Action":"ecr:BatchGetImage"` + resource + `}`)
	}
	set := func(text string) map[string]string {
		return map[string]string{"repositoryName": "app", "policyText": text}
	}
	if got := call("SetRepositoryPolicy", set(allow(nodeRole, ""))); got.code != "RepositoryNotFoundException" {
		t.Errorf("no repository: got %+v, want RepositoryNotFoundException", got)
	}
	w.Push(app, "v1")
	for _, text := range []string{allow(nodeRole+"2", ""), allow(nodeRole, `,"Resource":"*"`), ""} {
		if got := call("SetRepositoryPolicy", set(text)); got.code != "InvalidParameterException" {
			t.Errorf("%s: got %+v, want InvalidParameterException", text, got)
		}
	}
	for _, test := range []struct {
		set, get, absent string
		fields           map[string]string
	}{
		{"SetRepositoryPolicy", "GetRepositoryPolicy", "RepositoryPolicyNotFoundException", set(allow(nodeRole, ""))},
		{"PutRegistryPolicy", "GetRegistryPolicy", "RegistryPolicyNotFoundException", map[string]string{"policyText": allow(nodeRole, `,"Resource":"`+app.ARN()+`"`)}},
	} {
		if got := call(test.get, map[string]string{"repositoryName": test.fields["repositoryName"]}); got.code != test.absent {
			t.Errorf("%s: got %+v, want %s", test.get, got, test.absent)
		}
		if err := w.MayPull(grant, app); err == nil {
			t.Errorf("before %s the node may pull, want an error", test.set)
		}
		if got := call(test.set, test.fields); got.code != "" {
			t.Errorf("%s: got %+v, want no error", test.set, got)
		}
		if err := w.MayPull(grant, app); err != nil {
			t.Errorf("after %s: %v", test.set, err)
		}
		if got := call(test.get, map[string]string{"repositoryName": test.fields["repositoryName"]}); !strings.Contains(got.text, "BatchGetImage") {
			t.Errorf("%s: got %+v, want BatchGetImage", test.get, got)
		}
		w.keepPolicy(app, newDocument())
	}
}
