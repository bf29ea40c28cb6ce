package fakeaws

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestTrust: only principals in a role's trust policy can assume that role.
func TestTrust(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::444455556666:role/path/pull"
	const other = "arn:aws:iam::111122223333:role/other"
	tests := []struct {
		name       string
		trust      []Trust
		as         string
		externalID string
		ok         bool
	}{
		{"nobody", nil, nodeRole, "", false},
		{"the role", []Trust{{Principal: nodeRole}}, nodeRole, "", true},
		{"another role", []Trust{{Principal: other}}, nodeRole, "", false},
		{"one of two", []Trust{{Principal: other}, {Principal: nodeRole}}, nodeRole, "", true},
		{"the account", []Trust{{Principal: NodeAccount}}, other, "", true},
		{"another account", []Trust{{Principal: SecondAccount}}, nodeRole, "", false},
		{"external ID", []Trust{{Principal: nodeRole, ExternalID: "x"}}, nodeRole, "x", true},
		{"no external ID", []Trust{{Principal: nodeRole, ExternalID: "x"}}, nodeRole, "", false},
		{"another external ID", []Trust{{Principal: nodeRole, ExternalID: "x"}}, nodeRole, "y", false},
		{"an external ID that is not required", []Trust{{Principal: nodeRole}}, nodeRole, "y", true},
		{"another's external ID", []Trust{{Principal: other, ExternalID: "x"}, {Principal: nodeRole, ExternalID: "y"}}, nodeRole, "x", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, NewWorld(Node{Role: nodeRole}, Role{ARN: role, Trust: test.trust}), Options{})
			as := session(s.World, test.as, time.Hour, false)
			got := assume(t, s, as, role, "3600", test.externalID)
			if test.ok {
				if got.status != http.StatusOK || !strings.Contains(got.text, "<Arn>arn:aws:sts::444455556666:assumed-role/pull/test</Arn>") {
					t.Errorf("got %+v, want <Arn>arn:aws:sts::444455556666:assumed-role/pull/test</Arn>", got)
				}
				return
			}
			want := answer{http.StatusForbidden, "AccessDenied", "User: " + as.Principal + " is not authorized to perform: sts:AssumeRole on resource: " + role}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestTagSession: a role can be assumed with session tags only if its trust policy
// allows them.
func TestTagSession(t *testing.T) {
	t.Parallel()
	for allowed, want := range map[bool]int{true: http.StatusOK, false: http.StatusForbidden} {
		s := start(t, NewWorld(Node{Role: nodeRole}, Role{ARN: firstRole, Trust: []Trust{{Principal: nodeRole, TagSession: allowed}}}), Options{})
		r := stsRequest(s, "AssumeRole", "RoleArn", firstRole, "RoleSessionName", "test", "DurationSeconds", "3600",
			"Tags.member.1.Key", "cluster", "Tags.member.1.Value", "prod")
		got := send(t, newClient(t, s), r.sign(t, signing{session(s.World, nodeRole, time.Hour, false), "sts", "eu-west-1", s.World.Now()}))
		if got.status != want {
			t.Errorf("allowed %t: got %+v, want status %d", allowed, got, want)
		}
	}
}

func TestNoSuchRole(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	got := assume(t, s, session(s.World, nodeRole, time.Hour, false), firstRole+"2", "3600", "")
	if got.status != http.StatusForbidden || got.code != "AccessDenied" {
		t.Errorf("got %+v, want AccessDenied, because STS does not reveal whether a role exists", got)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, seconds string
		most          time.Duration
		chained       bool
		want          string
	}{
		{"an hour", "3600", 0, false, ""},
		{"the least", "900", 0, false, ""},
		{"less than that", "899", 0, false, "MaxSessionDuration"},
		{"more than the role has", "3601", 0, false, "MaxSessionDuration"},
		{"as much as the role has", "43200", 12 * time.Hour, false, ""},
		{"an hour, chained", "3600", 12 * time.Hour, true, ""},
		{"more, chained", "3601", 12 * time.Hour, true, "1 hour session limit for roles assumed by role chaining"},
		{"no number", "1h", 0, false, "not a number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, NewWorld(Node{Role: nodeRole}, Role{ARN: firstRole, Trust: []Trust{{Principal: nodeRole}}, MaxSession: test.most}), Options{})
			got := assume(t, s, session(s.World, nodeRole, time.Hour, test.chained), firstRole, test.seconds, "")
			switch {
			case test.want == "" && got.status != http.StatusOK:
				t.Errorf("got %+v, want 200", got)
			case test.want != "" && (got.status != http.StatusBadRequest || got.code != "ValidationError" || !strings.Contains(got.text, test.want)):
				t.Errorf("got %+v, want a ValidationError with %q", got, test.want)
			}
		})
	}
}

// TestChaining: credentials of AssumeRole count as chained.
func TestChaining(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	const hub = "arn:aws:iam::" + SecondAccount + ":role/hub"
	const pull = "arn:aws:iam::" + SecondAccount + ":role/ecr-pull"
	s.World.SetRole(Role{ARN: pull, Trust: []Trust{{Principal: hub}}, MaxSession: 12 * time.Hour})
	got := assume(t, s, session(s.World, nodeRole, time.Hour, false), hub, "3600", "")
	key := between(got.text, "<AccessKeyId>", "</AccessKeyId>")
	c, ok := s.World.credentials(key)
	if !ok || !c.Chained || c.Role != hub {
		t.Fatalf("got %+v, want chained credentials of %s", got, hub)
	}
	if got := assume(t, s, c, pull, "7200", ""); got.code != "ValidationError" {
		t.Errorf("got %+v, want ValidationError", got)
	}
	if got := assume(t, s, c, pull, "3600", ""); got.status != http.StatusOK {
		t.Errorf("got %+v, want 200", got)
	}
}

func between(s, start, end string) string {
	_, s, _ = strings.Cut(s, start)
	s, _, _ = strings.Cut(s, end)
	return s
}

func TestOperations(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	as := session(s.World, nodeRole, time.Hour, false)
	got := send(t, newClient(t, s), stsRequest(s, "GetCallerIdentity").sign(t, signing{as, "sts", "eu-west-1", s.World.Now()}))
	if between(got.text, "<Account>", "</Account>") != NodeAccount || between(got.text, "<Arn>", "</Arn>") != as.Principal {
		t.Errorf("got %+v, want account %s and %s", got, NodeAccount, as.Principal)
	}
	got = send(t, newClient(t, s), stsRequest(s, "GetSessionToken").sign(t, signing{as, "sts", "eu-west-1", s.World.Now()}))
	if got.status != http.StatusBadRequest || got.code != "InvalidAction" {
		t.Errorf("got %+v, want InvalidAction", got)
	}
	other := ecrRequest(s)
	other.header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.DescribeImages")
	got = send(t, newClient(t, s), other.sign(t, signing{as, "ecr", "eu-west-1", s.World.Now()}))
	if got.status != http.StatusBadRequest || got.code != "UnknownOperationException" {
		t.Errorf("got %+v, want UnknownOperationException", got)
	}
}
