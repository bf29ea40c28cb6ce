package fakeaws

import (
	"strings"
	"testing"
)

// TestFaultsOfAllServices: services behind AWS's own host names have the same faults as
// the others.
func TestFaultsOfAllServices(t *testing.T) {
	t.Parallel()
	const registry, bucket = "https://444455556666.dkr.ecr.eu-west-1.amazonaws.com/v2/", "https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/x"
	for _, test := range []struct {
		service    Service
		url        string
		fault      Fault
		with, then string
	}{
		{Registry, registry, Broken(1), `500 Internal Server Error {"errors":[{"code":"InternalFailure","message":"We made a mistake"}]}`, "401 Unauthorized Not Authorized"},
		{Registry, registry, Fault{Kind: Answer, Times: 1, Body: "x"}, "200 OK x", "401 Unauthorized Not Authorized"},
		{Registry, registry, Fault{Kind: Reset, Times: 1}, `Get "` + registry + `": `, "401 Unauthorized Not Authorized"},
		{
			S3, bucket,
			Fault{Kind: Error, Times: 1, Status: 503, Code: "SlowDown", Message: "slow down"},
			`503 Service Unavailable <?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>slow down</Message></Error>`,
			`403 Forbidden <?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`,
		},
		{Proxy, registry, Fault{Kind: Error, Times: 1, Status: 407, Message: "no"}, `Get "` + registry + `": Proxy Authentication Required`, "401 Unauthorized Not Authorized"},
	} {
		t.Run(string(test.service)+" "+string(test.fault.Kind), func(t *testing.T) {
			t.Parallel()
			s := start(t, ExampleWorld(), Options{TLS: true})
			client := throughProxy(t, s)
			s.Break(test.service, test.fault)
			if got := askRegistry(t, client, "GET", test.url, ""); !strings.HasPrefix(got, test.with) {
				t.Errorf("with the fault: got %s, want %s", got, test.with)
			}
			if got := askRegistry(t, client, "GET", test.url, ""); got != test.then {
				t.Errorf("after the fault: got %s, want %s", got, test.then)
			}
		})
	}
}

// TestGatewayPolicy: the policy of the S3 gateway endpoint applies to layers.
func TestGatewayPolicy(t *testing.T) {
	t.Parallel()
	w := ExampleWorld()
	layer := w.Push(Repository{FirstAccount, "eu-west-1", "app"}, "v1")
	s := start(t, w, Options{TLS: true})
	client := throughProxy(t, s)
	url := "https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/" + layer + "?X-Amz-Signature=" + w.authenticate(layer)
	for bucket, want := range map[string]string{"prod-eu-west-1-starport-layer-bucket": "200 OK", "prod-us-east-1-starport-layer-bucket": "403 Forbidden"} {
		w.SetEndpointPolicy(S3Gateway, policyOf(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::`+bucket+`/*"}`))
		if got := askRegistry(t, client, "GET", url, ""); got[:len(want)] != want {
			t.Errorf("of %s: %s, want %s", bucket, got, want)
		}
	}
}
