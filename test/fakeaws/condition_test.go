package fakeaws

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestConditions(t *testing.T) {
	t.Parallel()
	keys := map[string][]string{
		"sts:externalid": {"x1"}, "aws:principalarn": {"arn:aws:iam::111122223333:role/path/node"}, "aws:tagkeys": {"cluster", "team"},
		"aws:requesttag/cluster": {"prod"}, "aws:securetransport": {"true"}, "oidc.example.com/id/a:sub": {"system:serviceaccount:a:b"},
	}
	tests := []struct {
		operator, key string
		wants         values
		want          bool
	}{
		{"StringEquals", "sts:ExternalId", values{"x1"}, true},
		{"StringEquals", "sts:ExternalId", values{"x0", "x1"}, true},
		{"StringEquals", "sts:ExternalId", values{"X1"}, false},
		{"StringEquals", "sts:ExternalId", values{"x*"}, false},
		{"StringEqualsIgnoreCase", "sts:ExternalId", values{"X1"}, true},
		{"StringEquals", "STS:externalID", values{"x1"}, true},
		{"StringEquals", "aws:PrincipalOrgID", values{"o-1"}, false},
		{"StringEqualsIfExists", "aws:PrincipalOrgID", values{"o-1"}, true},
		{"StringEqualsIfExists", "sts:ExternalId", values{"x2"}, false},
		{"StringNotEquals", "sts:ExternalId", values{"x1", "x2"}, false},
		{"StringNotEquals", "sts:ExternalId", values{"x2", "x3"}, true},
		{"StringNotEquals", "aws:PrincipalOrgID", values{"o-1"}, true},
		{"StringNotEqualsIgnoreCase", "sts:ExternalId", values{"X1"}, false},
		{"StringLike", "sts:ExternalId", values{"?1"}, true},
		{"StringNotLike", "sts:ExternalId", values{"x*"}, false},
		{"StringLike", "oidc.example.com/id/A:sub", values{"system:serviceaccount:*:b"}, true},
		{"StringEquals", "oidc.example.com/id/B:sub", values{"system:serviceaccount:a:b"}, false},
		{"StringEquals", "aws:RequestTag/cluster", values{"prod"}, true},
		{"StringEquals", "aws:RequestTag/team", values{"prod"}, false},
		{"ArnLike", "aws:PrincipalArn", values{"arn:*:iam::*:role/*/node"}, true},
		{"ArnEquals", "aws:PrincipalArn", values{"arn:aws:iam::111122223333:role/*"}, true},
		{"ArnLike", "aws:PrincipalArn", values{"arn:*"}, false}, // the parts are compared separately
		{"StringLike", "aws:PrincipalArn", values{"arn:*"}, true},
		{"ArnNotLike", "aws:PrincipalArn", values{"arn:aws:iam::*:role/x"}, true},
		{"ArnNotEquals", "aws:PrincipalArn", values{"arn:aws:iam::*:role/path/*"}, false},
		{"Bool", "aws:SecureTransport", values{"true"}, true},
		{"Bool", "aws:SecureTransport", values{"false"}, false},
		{"Bool", "aws:ViaAWSService", values{"true"}, false},
		{"BoolIfExists", "aws:ViaAWSService", values{"true"}, true},
		{"Null", "sts:ExternalId", values{"true"}, false},
		{"Null", "sts:ExternalId", values{"false"}, true},
		{"Null", "aws:TagKeys", values{"false"}, true},
		{"Null", "aws:PrincipalOrgID", values{"true"}, true},
		{"ForAnyValue:StringEquals", "aws:TagKeys", values{"team", "x"}, true},
		{"ForAnyValue:StringEquals", "aws:TagKeys", values{"x"}, false},
		{"ForAnyValue:StringNotEquals", "aws:TagKeys", values{"team"}, true},
		{"ForAllValues:StringEquals", "aws:TagKeys", values{"team", "cluster", "x"}, true},
		{"ForAllValues:StringEquals", "aws:TagKeys", values{"team"}, false},
		{"ForAllValues:StringNotEquals", "aws:TagKeys", values{"team"}, false},
		{"ForAnyValue:StringLike", "aws:PrincipalOrgPaths", values{"*"}, false}, // the key has no value
		{"ForAllValues:StringLike", "aws:PrincipalOrgPaths", values{"o-1/*"}, true},
	}
	for _, test := range tests {
		c, err := parseCondition(test.operator, strings.ToLower(test.key), test.wants)
		if err != nil {
			t.Errorf("%s %s %q: %v", test.operator, test.key, test.wants, err)
		} else if got := c.holds(keys); got != test.want {
			t.Errorf("%s %s %q: got %t, want %t", test.operator, test.key, test.wants, got, test.want)
		}
	}
}

// TestMisspeltConditions: setting a policy with an unknown condition is an error.
func TestMisspeltConditions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		operator, key string
		wants         values
	}{
		{"StringEqual", "sts:ExternalId", values{"x"}},
		{"stringEquals", "sts:ExternalId", values{"x"}},
		{"ForAnyValues:StringEquals", "aws:TagKeys", values{"x"}},
		{"ForAnyValue:ForAllValues:StringEquals", "aws:TagKeys", values{"x"}},
		{"NullIfExists", "sts:ExternalId", values{"true"}},
		{"ForAnyValue:Null", "aws:TagKeys", values{"true"}},
		{"StringEquals", "sts:ExternalID ", values{"x"}},
		{"StringEquals", "aws:PrincipleArn", values{"x"}},
		{"StringEquals", "aws:sub", values{"x"}},
		{"StringEquals", "sts:ExternalId", nil},
		{"StringEquals", "sts:ExternalId", values{"${aws:PrincipalAccount}"}},
		{"Null", "sts:ExternalId", values{"yes"}},
		{"Bool", "aws:SecureTransport", values{"1"}},
		{"Bool", "sts:ExternalId", values{"true"}},
		{"StringEquals", "aws:SecureTransport", values{"true"}},
		{"StringLike", "aws:PrincipalOrgPaths", values{"o-1/*"}}, // the key has several values
		{"ForAnyValue:StringEquals", "sts:ExternalId", values{"x"}},
		{"ArnLike", "sts:ExternalId", values{"x"}},
	} {
		if _, err := parseConditions(map[string]map[string]values{test.operator: {test.key: test.wants}}); err == nil {
			t.Errorf("%s %s %q: no error", test.operator, test.key, test.wants)
		}
	}
}

// TestPrincipals: a trust policy can name valid principals, and no others.
func TestPrincipals(t *testing.T) {
	t.Parallel()
	const good, bad = true, false
	for principal, want := range map[string]bool{
		`"*"`:                    good,
		`{"AWS":"*"}`:            good,
		`{"AWS":"111122223333"}`: good,
		`{"AWS":["` + nodeRole + `","arn:aws:iam::111122223333:root"]}`:             good,
		`{"AWS":"arn:aws:sts::111122223333:assumed-role/node/i-0"}`:                 good,
		`{"Federated":"arn:aws:iam::444455556666:oidc-provider/oidc.example.com"}`:  good,
		`{"Service":"pullthroughcache.ecr.amazonaws.com","AWS":"` + nodeRole + `"}`: good,
		`{"aws":"*"}`:                                  bad,
		`{"AWS":"1111"}`:                               bad,
		`{"AWS":"arn:aws:iam::*:role/node"}`:           bad,
		`{"AWS":"arn:aws:iam::111122223333:role/n*"}`:  bad,
		`{"AWS":"arn:aws:iam::111122223333:node"}`:     bad,
		`{"AWS":"arn:aws:iam:111122223333:role/node"}`: bad,
		`{"Federated":"oidc.example.com"}`:             bad,
		`{"Federated":"*"}`:                            bad,
		`{"Service":"ec2"}`:                            bad,
		`"node"`:                                       bad,
	} {
		_, err := parseDocument(policyOf(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":`+principal+`}`), trustPolicy)
		if (err == nil) != want {
			t.Errorf("%s: got error %v, want an error: %t", principal, err, !want)
		}
	}
}

// TestSourceEndpoint: a trust policy can require that calls pass through the VPC
// endpoint.
func TestSourceEndpoint(t *testing.T) {
	t.Parallel()
	const everything = `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`
	trust := policyOf(`{"Effect":"Allow","Principal":{"AWS":"` + nodeRole + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceVpce":"` + STSEndpoint.ID() + `"}}}`)
	w := NewWorld(Node{Role: nodeRole}, Role{ARN: firstRole, TrustPolicy: trust})
	s := start(t, w, Options{})
	as := session(w, nodeRole, time.Hour, false)
	if got := assume(t, s, as, firstRole, "3600", ""); got.code != "AccessDenied" {
		t.Errorf("without the endpoint: got %+v, want AccessDenied", got)
	}
	w.SetEndpointPolicy(STSEndpoint, policyOf(everything))
	if got := assume(t, s, as, firstRole, "3600", ""); got.status != http.StatusOK {
		t.Errorf("through the endpoint: got %+v, want 200", got)
	}
}
