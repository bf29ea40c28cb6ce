package fakeaws

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const hubRole = "arn:aws:iam::444455556666:role/hub"

// policyOf returns a policy with statements in JSON.
func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// TestAssumeByDocuments: the trust policy and the caller's permissions decide. The
// error says no more than AWS's own error.
func TestAssumeByDocuments(t *testing.T) {
	t.Parallel()
	const role = firstRole
	const trustNode = `{"Effect":"Allow","Principal":{"AWS":"` + nodeRole + `"},"Action":"sts:AssumeRole"}`
	allowAssume := `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"` + role + `"}`
	trustIf := func(operator, key, value string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{%q:{%q:%q}}}`, operator, key, value)
	}
	const noReason = "User: %s is not authorized to perform: sts:AssumeRole on resource: " + role
	tests := []struct{ name, trust, permissions, externalID, want string }{
		{"both", policyOf(trustNode), policyOf(allowAssume), "", ""},
		{"by the account", policyOf(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:*"}`), policyOf(allowAssume), "", ""},
		{"another account", policyOf(`{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:AssumeRole"}`), policyOf(allowAssume), "", noReason},
		{"no permission", policyOf(trustNode), policyOf(`{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`), "", noReason + " because no identity-based policy allows the sts:AssumeRole action"},
		{"a permission for another role", policyOf(trustNode), policyOf(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"` + hubRole + `"}`), "", noReason + " because no identity-based policy allows the sts:AssumeRole action"},
		{"a pattern", policyOf(trustNode), policyOf(`{"Effect":"Allow","Action":"sts:Assume*","Resource":"arn:aws:iam::*:role/ecr-p???"}`), "", ""},
		{"an explicit denial", policyOf(trustNode), policyOf(allowAssume, `{"Effect":"Deny","Action":"sts:AssumeRole","NotResource":"`+hubRole+`"}`), "", noReason + " with an explicit deny in an identity-based policy"},
		{"all but", policyOf(trustNode), policyOf(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`), "", ""},
		{"the external ID", policyOf(trustIf("StringEquals", "sts:ExternalId", "x1")), policyOf(allowAssume), "x1", ""},
		{"another external ID", policyOf(trustIf("StringEquals", "sts:ExternalId", "x1")), policyOf(allowAssume), "x2", noReason},
		{"no external ID", policyOf(trustIf("StringEquals", "sts:ExternalId", "x1")), policyOf(allowAssume), "", noReason},
		{"the organization", policyOf(trustIf("StringEquals", "aws:PrincipalOrgID", "o-mine")), policyOf(allowAssume), "", ""},
		{"another organization", policyOf(trustIf("StringEquals", "aws:PrincipalOrgID", "o-other")), policyOf(allowAssume), "", noReason},
		{"a unit of the organization", policyOf(trustIf("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-mine/r-root/*")), policyOf(allowAssume), "", ""},
		{"the principal's ARN", policyOf(trustIf("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/no*")), policyOf(allowAssume), "", ""},
		{"another principal's ARN", policyOf(trustIf("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/x*")), policyOf(allowAssume), "", noReason},
		{"not one account", policyOf(trustIf("StringNotEquals", "aws:PrincipalAccount", "111122223333")), policyOf(allowAssume), "", noReason},
		{"not another account", policyOf(trustIf("StringNotEquals", "aws:PrincipalAccount", "444455556666")), policyOf(allowAssume), "", ""},
		{"a key that is absent", policyOf(trustIf("Null", "sts:ExternalId", "true")), policyOf(allowAssume), "", ""},
		{"a key that is present", policyOf(trustIf("Null", "sts:ExternalId", "true")), policyOf(allowAssume), "x1", noReason},
		{"if it exists", policyOf(trustIf("StringEqualsIfExists", "sts:ExternalId", "x1")), policyOf(allowAssume), "", ""},
		{"the resource's organization", policyOf(trustNode), policyOf(strings.TrimSuffix(allowAssume, "}") + `,"Condition":{"StringEquals":{"aws:ResourceOrgID":"o-images"}}}`), "", ""},
		{"another resource's organization", policyOf(trustNode), policyOf(strings.TrimSuffix(allowAssume, "}") + `,"Condition":{"StringEquals":{"aws:ResourceOrgID":"o-mine"}}}`), "", noReason + " because no identity-based policy allows the sts:AssumeRole action"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := NewWorld(Node{Role: nodeRole}, Role{ARN: role, TrustPolicy: test.trust}, Role{ARN: nodeRole, Policies: map[string]string{"p": test.permissions}})
			w.SetOrganization("111122223333", "o-mine", "o-mine/r-root/ou-nodes/")
			w.SetOrganization("444455556666", "o-images", "o-images/r-root/")
			as := session(w, nodeRole, time.Hour, false)
			got := assume(t, start(t, w, Options{}), as, role, "3600", test.externalID)
			if want := strings.ReplaceAll(test.want, "%s", as.Principal); want == "" && got.status != http.StatusOK || want != "" && got.text != want {
				t.Errorf("got %+v, want %q", got, want)
			}
		})
	}
}

// TestSameAccount: within an account, a trust policy that names the caller is
// sufficient. A trust policy that names the account is not.
func TestSameAccount(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::111122223333:role/pull"
	for principal, want := range map[string]int{nodeRole: http.StatusOK, "111122223333": http.StatusForbidden} {
		w := NewWorld(Node{Role: nodeRole}, Role{ARN: role, Trust: []Trust{{Principal: principal}}}, Role{ARN: nodeRole, Policies: map[string]string{}})
		if got := assume(t, start(t, w, Options{}), session(w, nodeRole, time.Hour, false), role, "3600", ""); got.status != want {
			t.Errorf("trust of %s: got %+v, want %d", principal, got, want)
		}
	}
}

// TestEndpointPolicies: a VPC endpoint's policy is evaluated first.
func TestEndpointPolicies(t *testing.T) {
	t.Parallel()
	w := ExampleWorld()
	s := start(t, w, Options{})
	w.SetEndpointPolicy(STSEndpoint, policyOf(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"`+hubRole+`"}`))
	as := session(w, nodeRole, time.Hour, false)
	got := assume(t, s, as, firstRole, "3600", "")
	want := "User: " + as.Principal + " is not authorized to perform: sts:AssumeRole on resource: " + firstRole + " because no VPC endpoint policy allows the sts:AssumeRole action"
	if got.text != want {
		t.Errorf("got %+v, want %s", got, want)
	}
}

// TestMalformedDocuments: a policy that AWS refuses, or that this package cannot
// evaluate, is an error. Otherwise a test with a misspelt element would prove nothing.
func TestMalformedDocuments(t *testing.T) {
	t.Parallel()
	good := `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`
	tests := map[string]struct {
		text string
		kind kind
	}{
		"not JSON":                {"{", identityPolicy},
		"no version":              {`{"Statement":[` + good + `]}`, identityPolicy},
		"no statement":            {policyOf(), identityPolicy},
		"unknown element":         {policyOf(strings.Replace(good, "Action", "Actions", 1)), identityPolicy},
		"effect":                  {policyOf(strings.Replace(good, "Allow", "allow", 1)), identityPolicy},
		"no action":               {policyOf(`{"Effect":"Allow","Resource":"*"}`), identityPolicy},
		"a principal":             {policyOf(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`), identityPolicy},
		"no principal":            {policyOf(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), trustPolicy},
		"a trust's resource":      {policyOf(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}`), trustPolicy},
		"no resource":             {policyOf(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), identityPolicy},
		"a number":                {policyOf(`{"Effect":"Allow","Action":5,"Resource":"*"}`), identityPolicy},
		"a Sid with a dash":       {policyOf(strings.TrimSuffix(good, "}") + `,"Sid":"a-b"}`), identityPolicy},
		"a duplicate Sid":         {policyOf(strings.TrimSuffix(good, "}")+`,"Sid":"a"}`, strings.TrimSuffix(good, "}")+`,"Sid":"a"}`), identityPolicy},
		"an endpoint's role":      {policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + hubRole + `"},"Action":"sts:AssumeRole","Resource":"*"}`), gatewayPolicy},
		"an action of no service": {policyOf(`{"Effect":"Allow","Action":"stss:AssumeRole","Resource":"*"}`), identityPolicy},
		"no action's name":        {policyOf(`{"Effect":"Allow","Action":"ecr","Resource":"*"}`), identityPolicy},
		"a trust's action":        {policyOf(`{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}`), trustPolicy},
		"a policy variable":       {policyOf(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::${aws:PrincipalAccount}:role/x"}`), identityPolicy},
		"a registry's action":     {policyOf(`{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}`), registryPolicy},
	}
	for name, test := range tests {
		if _, err := parseDocument(test.text, test.kind); err == nil || !strings.HasPrefix(err.Error(), "MalformedPolicyDocument: ") {
			t.Errorf("%s: got %v, want MalformedPolicyDocument", name, err)
		}
	}
	for _, one := range []string{policyOf(good), `{"Version":"2012-10-17","Id":"x","Statement":` + good + `}`} {
		if _, err := parseDocument(one, identityPolicy); err != nil || !json.Valid([]byte(one)) {
			t.Errorf("%s: %v", one, err)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true},
		{"a*c", "abbc", true},
		{"a*c", "abb", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"arn:aws:ecr:*:444455556666:repository/team-a/*", "arn:aws:ecr:eu-west-1:444455556666:repository/team-a/app", true},
		{"ABC", "abc", false},
		{"", "a", false},
		{"**a", "bba", true},
	} {
		if got := matches(test.pattern, test.text); got != test.want {
			t.Errorf("matches(%q, %q) = %t, want %t", test.pattern, test.text, got, test.want)
		}
	}
}
