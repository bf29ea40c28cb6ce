package fakeaws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// ecr answers the JSON API of ECR.
func (s *Server) ecr(w http.ResponseWriter, r *http.Request, body []byte, call *Call) *apiError {
	caller, refusal := s.authenticateJSON(r, body, call, "AmazonEC2ContainerRegistry_V20150921", "ecr")
	if refusal != nil {
		return refusal
	}
	if call.Operation != getToken {
		return s.ecrPolicy(w, body, call, caller)
	}
	grant, refusal := s.grant(call, caller, "ecr")
	if refusal != nil {
		return refusal
	}
	s.writeToken(w, grant, func(data map[string]any) any {
		data["proxyEndpoint"] = fmt.Sprintf("https://%s.dkr.ecr.%s.%s", grant.Account(), grant.Region, partitionAt(grant.Region).domain)
		return []any{data}
	})
	return nil
}

// ecrPublic answers the JSON API of ECR Public, which exists only in us-east-1.
func (s *Server) ecrPublic(w http.ResponseWriter, r *http.Request, body []byte, call *Call) *apiError {
	caller, refusal := s.authenticateJSON(r, body, call, "SpencerFrontendService", "ecr-public")
	if refusal != nil {
		return refusal
	}
	grant, refusal := s.grant(call, caller, "ecr-public")
	if refusal != nil {
		return refusal
	}
	if grant.Region != "us-east-1" {
		return mismatch("Credential should be scoped to a valid region")
	}
	grant.Region = "public"
	s.writeToken(w, grant, func(data map[string]any) any { return data })
	return nil
}

const getToken = "GetAuthorizationToken"

// authenticateJSON sets the call's operation from the request of a JSON API, and returns
// the signer's credentials.
func (s *Server) authenticateJSON(r *http.Request, body []byte, call *Call, target, service string) (Credentials, *apiError) {
	call.Operation = strings.TrimPrefix(r.Header.Get("X-Amz-Target"), target+".")
	signature, caller, refusal := s.World.authenticateRequest(r, body, service)
	call.Region, call.Principal = signature.region, caller.Principal
	return caller, refusal
}

// grant decides on a request for a token, and returns the token's grant.
func (s *Server) grant(call *Call, caller Credentials, service string) (Grant, *apiError) {
	if call.Operation != getToken {
		return Grant{}, &apiError{http.StatusBadRequest, "UnknownOperationException", ""}
	}
	if refusal := s.World.mayRequestToken(service, caller); refusal != nil {
		return Grant{}, refusal
	}
	expires := s.World.Now().Add(s.World.TokenLife)
	return Grant{Principal: caller.Principal, Role: caller.Role, Region: call.Region, Expires: expires, Policy: caller.Policy}, nil
}

// mayRequestToken returns an error if a caller may not request a token. The caller's
// permissions, its session policy and the endpoint's policy decide.
func (w *World) mayRequestToken(service string, caller Credentials) *apiError {
	names := []string{service + ":GetAuthorizationToken"}
	if service == "ecr-public" {
		names = append(names, "sts:GetServiceBearerToken")
	}
	role, _ := w.role(caller.Role)
	for _, name := range names {
		a := w.action(name, "*", accountOf(caller.Role), caller)
		if service == "ecr" {
			if refusal := w.pass(ECRAPIEndpoint, a); refusal != nil {
				return refusal
			}
		}
		if said := a.evaluate(role.permissions()...); said != allowed {
			return &apiError{http.StatusForbidden, "AccessDenied", a.refusal(said, "identity-based")}
		}
		if said := a.evaluate(sessionPolicy(caller.Policy)...); said != allowed {
			return &apiError{http.StatusForbidden, "AccessDenied", a.refusal(said, "session")}
		}
	}
	return nil
}

func (s *Server) writeToken(w http.ResponseWriter, grant Grant, shape func(map[string]any) any) {
	data := map[string]any{
		"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:" + s.World.mint(grant))),
		"expiresAt":          float64(grant.Expires.UnixMilli()) / 1000,
	}
	body, _ := json.Marshal(map[string]any{"authorizationData": shape(data)})
	writeJSON(w, http.StatusOK, body)
}
