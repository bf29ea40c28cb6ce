package fakeaws

import "net/http"

// Endpoint is a VPC endpoint of the node's network.
type Endpoint string

// These are the endpoints.
const (
	STSEndpoint    Endpoint = "sts"
	ECRAPIEndpoint Endpoint = "ecr.api"
	ECRDKREndpoint Endpoint = "ecr.dkr"
	S3Gateway      Endpoint = "s3"
)

// ID returns the endpoint's ID, for aws:SourceVpce.
func (e Endpoint) ID() string { return "vpce-" + digest([]byte(e))[:17] }

// SetEndpointPolicy puts an endpoint with a policy between the node and a service.
// An endpoint without a policy allows everything.
func (w *World) SetEndpointPolicy(at Endpoint, text string) {
	kind := endpointPolicy
	if at == S3Gateway {
		kind = gatewayPolicy
	}
	d, err := parseDocument(text, kind)
	if err != nil {
		panic(err) // a test with a misspelt element would prove nothing
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endpoints[at] = d
}

// pass decides whether an endpoint allows an action. For the later policies, it sets
// the endpoint's condition key.
func (w *World) pass(at Endpoint, a action) *apiError {
	w.mu.Lock()
	d, ok := w.endpoints[at]
	w.mu.Unlock()
	if !ok {
		return nil
	}
	a.keys["aws:sourcevpce"] = []string{at.ID()}
	if said := a.evaluate(d); said != allowed {
		return &apiError{http.StatusForbidden, "AccessDenied", a.refusal(said, "VPC endpoint")}
	}
	return nil
}
