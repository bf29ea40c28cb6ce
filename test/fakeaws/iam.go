package fakeaws

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// partition returns the partition of the node's account. All accounts are in that
// partition.
func (w *World) partition() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return cmp.Or(partitionOf(w.node.Role), "aws")
}

// Administrator issues credentials with all permissions in an account, for IAM and for
// the ECR policy operations.
func (w *World) Administrator(account string) Credentials {
	arn := "arn:" + w.partition() + ":iam::" + account + ":role/administrator"
	if _, ok := w.role(arn); !ok {
		w.SetRole(Role{ARN: arn, Policies: map[string]string{"all": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`}})
	}
	return w.issue(arn, "test", time.Hour, false, "")
}

// iamOperation answers one operation of IAM in the caller's account.
type iamOperation func(w *World, account string, form url.Values) (result string, refusal *apiError)

// iamOperations are the operations for setting up roles and OIDC providers.
var iamOperations = map[string]iamOperation{
	"GetRole":                                 getRole,
	"CreateRole":                              createRole,
	"UpdateAssumeRolePolicy":                  updateTrust,
	"UpdateRole":                              updateRole,
	"PutRolePolicy":                           putRolePolicy,
	"GetRolePolicy":                           getRolePolicy,
	"DeleteRolePolicy":                        deleteRolePolicy,
	"ListRolePolicies":                        listRolePolicies,
	"ListRoleTags":                            listRoleTags,
	"TagRole":                                 tagRole,
	"CreateOpenIDConnectProvider":             createProvider,
	"GetOpenIDConnectProvider":                getProvider,
	"ListOpenIDConnectProviders":              listProviders,
	"AddClientIDToOpenIDConnectProvider":      addClientID,
	"TagOpenIDConnectProvider":                tagProvider,
	"ListOpenIDConnectProviderTags":           listProviderTags,
	"RemoveClientIDFromOpenIDConnectProvider": removeClientID,
}

// iam answers the Query API of IAM.
func (s *Server) iam(w http.ResponseWriter, r *http.Request, body []byte, call *Call) *apiError {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return &apiError{http.StatusBadRequest, "MalformedInput", err.Error()}
	}
	call.Operation = form.Get("Action")
	signature, caller, refusal := s.World.authenticateRequest(r, body, "iam")
	call.Region, call.Principal = signature.region, caller.Principal
	if refusal != nil {
		return refusal
	}
	operation, ok := iamOperations[call.Operation]
	if !ok {
		return &apiError{http.StatusBadRequest, "InvalidAction", "Could not find operation " + call.Operation}
	}
	role, _ := s.World.role(caller.Role)
	a := s.World.action("iam:"+call.Operation, "*", accountOf(caller.Role), caller)
	if said := a.evaluate(role.permissions()...); said != allowed {
		return &apiError{http.StatusForbidden, "AccessDenied", a.refusal(said, "identity-based")}
	}
	result, refusal := operation(s.World, accountOf(caller.Role), form)
	if refusal != nil {
		return refusal
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>%[3]s</RequestId></ResponseMetadata></%[1]sResponse>`,
		call.Operation, result, requestID())
	return nil
}

func noSuchEntity(format string, args ...any) *apiError {
	return &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf(format, args...)}
}

func malformed(err error) *apiError {
	return &apiError{http.StatusBadRequest, "MalformedPolicyDocument", strings.TrimPrefix(err.Error(), "MalformedPolicyDocument: ")}
}

// element writes an XML element.
func element(name, text string) string {
	escaped, _ := xml.Marshal(text)
	return "<" + name + ">" + string(trimElement(escaped)) + "</" + name + ">"
}

func tagsXML(tags map[string]string) string {
	var s strings.Builder
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		s.WriteString("<member>" + element("Key", key) + element("Value", tags[key]) + "</member>")
	}
	return "<Tags>" + s.String() + "</Tags>"
}

// urlEncoded returns a policy in the form of IAM's answers (RFC 3986).
func urlEncoded(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// members returns the items of a list in a form, such as Tags.member.1.Key.
func members(form url.Values, list, field string) (all []string) {
	for i := 1; form.Has(fmt.Sprintf("%s.member.%d%s", list, i, field)); i++ {
		all = append(all, form.Get(fmt.Sprintf("%s.member.%d%s", list, i, field)))
	}
	return all
}

func tagsOf(form url.Values) map[string]string {
	tags := map[string]string{}
	values := members(form, "Tags", ".Value")
	for i, key := range members(form, "Tags", ".Key") {
		tags[key] = values[i]
	}
	return tags
}
