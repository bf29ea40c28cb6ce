package fakeaws

import (
	"encoding/json"
	"net/http"
	"slices"
)

// policyRequest is a request about the policy of a repository or of a registry.
type policyRequest struct {
	RepositoryName string `json:"repositoryName"`
	PolicyText     string `json:"policyText"`
}

// ecrPolicy answers ECR's operations on policies, in the caller's account.
func (s *Server) ecrPolicy(w http.ResponseWriter, body []byte, call *Call, caller Credentials) *apiError {
	if !slices.Contains([]string{"SetRepositoryPolicy", "GetRepositoryPolicy", "PutRegistryPolicy", "GetRegistryPolicy"}, call.Operation) {
		return &apiError{http.StatusBadRequest, "UnknownOperationException", ""}
	}
	var request policyRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return &apiError{http.StatusBadRequest, "InvalidParameterException", err.Error()}
	}
	of := Repository{Account: accountOf(caller.Role), Region: call.Region, Name: request.RepositoryName}
	role, _ := s.World.role(caller.Role)
	a := s.World.action("ecr:"+call.Operation, of.ARN(), of.Account, caller)
	if said := a.evaluate(role.permissions()...); said != allowed {
		return &apiError{http.StatusForbidden, "AccessDenied", a.refusal(said, "identity-based")}
	}
	switch call.Operation {
	case "SetRepositoryPolicy", "PutRegistryPolicy":
		if err := s.World.SetResourcePolicy(of, request.PolicyText); err != nil {
			return &apiError{http.StatusBadRequest, "InvalidParameterException", err.Error()}
		}
	default:
		if request.PolicyText = s.World.policyText(of); request.PolicyText == "" {
			code := map[bool]string{true: "RepositoryPolicyNotFoundException", false: "RegistryPolicyNotFoundException"}[of.Name != ""]
			return &apiError{http.StatusBadRequest, code, "there is no policy"}
		}
	}
	answer, _ := json.Marshal(map[string]string{"registryId": of.Account, "repositoryName": of.Name, "policyText": request.PolicyText})
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// policyText returns the policy that SetResourcePolicy has set.
func (w *World) policyText(of Repository) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.policyTexts[of]
}
