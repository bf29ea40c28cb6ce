package fakeaws

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// policyRequest is a request about the policy of a repository or of a registry.
type policyRequest struct {
	RepositoryName string `json:"repositoryName"`
	PolicyText     string `json:"policyText"`
}

// ecrPolicy answers ECR's operations on policies, for registries of the caller's
// account.
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
	if _, ok := s.World.content(of, ""); !ok && of.Name != "" {
		return &apiError{http.StatusBadRequest, "RepositoryNotFoundException", noRepository(of)}
	}
	text, refusal := s.World.changePolicy(call.Operation, of, request.PolicyText)
	if refusal != nil {
		return refusal
	}
	answer, _ := json.Marshal(map[string]string{"registryId": of.Account, "repositoryName": of.Name, "policyText": text})
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// changePolicy sets or gets a policy, and returns it.
func (w *World) changePolicy(operation string, of Repository, text string) (string, *apiError) {
	failure := func(code, message string) *apiError { return &apiError{http.StatusBadRequest, code, message} }
	switch operation {
	case "SetRepositoryPolicy", "PutRegistryPolicy":
		d, err := of.parsePolicy(text)
		if who := w.missingPrincipal(d); err == nil && who != "" {
			err = errors.New("Principal not found") //nolint:staticcheck // ECR's own words
		}
		if err != nil {
			return "", failure("InvalidParameterException", "Invalid parameter at 'PolicyText' failed to satisfy constraint: '"+err.Error()+"'")
		}
		w.keepPolicy(of, d)
		return text, nil
	case "GetRepositoryPolicy", "GetRegistryPolicy":
		switch all := w.policiesOf(of); {
		case len(all) > 0:
			return all[0].json(), nil
		case of.Name == "":
			return "", failure("RegistryPolicyNotFoundException", "Registry policy does not exist in the registry with id '"+of.Account+"'")
		}
		return "", failure("RepositoryPolicyNotFoundException",
			fmt.Sprintf("Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", of.Name, of.Account))
	}
	return "", failure("UnknownOperationException", "")
}

func (w *World) keepPolicy(of Repository, d document) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resourcePolicies[of] = []document{d}
}

func (w *World) policiesOf(r Repository) []document {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.resourcePolicies[r]
}
