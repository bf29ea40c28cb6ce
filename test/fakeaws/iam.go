package fakeaws

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Administrator issues credentials that may do everything in an account, but take
// what the service IAM and the policies of ECR are about.
func (w *World) Administrator(account string) Credentials {
	arn := "arn:aws:iam::" + account + ":role/administrator"
	if _, ok := w.role(arn); !ok {
		w.SetRole(Role{ARN: arn, Policies: map[string]string{"all": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`}})
	}
	return w.issue(arn, "test", time.Hour, false, "")
}

// iamOperation answers one operation of IAM in the caller's account.
type iamOperation func(w *World, account string, form url.Values) (result string, refusal *apiError)

// iamOperations are those that setting up roles and OIDC providers needs.
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

// roleNamed finds a role of an account by its name, whatever its path.
func (w *World) roleNamed(account, name string) (Role, *apiError) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for arn, role := range w.roles {
		if accountOf(arn) == account && arn[strings.LastIndex(arn, "/")+1:] == name {
			return role, nil
		}
	}
	return Role{}, noSuchEntity("The role with name %s cannot be found.", name)
}

// changeRole changes a role, if its policies are ones afterwards.
func (w *World) changeRole(account, name string, change func(*Role)) (string, *apiError) {
	role, refusal := w.roleNamed(account, name)
	if refusal != nil {
		return "", refusal
	}
	role.Policies, role.Tags = maps.Clone(role.Policies), maps.Clone(role.Tags)
	change(&role)
	if err := role.check(); err != nil {
		return "", malformed(err)
	}
	w.SetRole(role)
	return "", nil
}

// element writes an XML element.
func element(name, text string) string {
	escaped, _ := xml.Marshal(text)
	return "<" + name + ">" + string(trimElement(escaped)) + "</" + name + ">"
}

func (r Role) xml() string {
	path, name, _ := strings.Cut(strings.SplitN(r.ARN, ":", 6)[5], "/")
	if i := strings.LastIndex(name, "/"); i >= 0 {
		path, name = "/"+name[:i+1], name[i+1:]
	} else {
		path = "/"
	}
	seconds := int(max(r.MaxSession, time.Hour) / time.Second)
	return "<Role>" + element("Path", path) + element("RoleName", name) + element("RoleId", "AROAEXAMPLE") + element("Arn", r.ARN) +
		element("CreateDate", "2026-01-01T00:00:00Z") + element("AssumeRolePolicyDocument", url.QueryEscape(r.TrustPolicy)) +
		element("MaxSessionDuration", fmt.Sprint(seconds)) + tagsXML(r.Tags) + "</Role>"
}

func tagsXML(tags map[string]string) string {
	var s strings.Builder
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		s.WriteString("<member>" + element("Key", key) + element("Value", tags[key]) + "</member>")
	}
	return "<Tags>" + s.String() + "</Tags>"
}

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

func getRole(w *World, account string, form url.Values) (string, *apiError) {
	role, refusal := w.roleNamed(account, form.Get("RoleName"))
	return role.xmlUnless(refusal), refusal
}

func (r Role) xmlUnless(refusal *apiError) string {
	if refusal != nil {
		return ""
	}
	return r.xml()
}

func createRole(w *World, account string, form url.Values) (string, *apiError) {
	name := form.Get("RoleName")
	if _, refusal := w.roleNamed(account, name); refusal == nil {
		return "", &apiError{http.StatusConflict, "EntityAlreadyExists", "Role with name " + name + " already exists."}
	}
	path := form.Get("Path")
	if path == "" {
		path = "/"
	}
	role := Role{
		ARN: "arn:aws:iam::" + account + ":role" + path + name, TrustPolicy: form.Get("AssumeRolePolicyDocument"),
		Policies: map[string]string{}, Tags: tagsOf(form), MaxSession: secondsOf(form),
	}
	if err := role.check(); err != nil {
		return "", malformed(err)
	}
	w.SetRole(role)
	return role.xml(), nil
}

func secondsOf(form url.Values) time.Duration {
	seconds, _ := time.ParseDuration(form.Get("MaxSessionDuration") + "s") // none is the default
	return seconds
}

func updateRole(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) { r.MaxSession = max(r.MaxSession, secondsOf(form)) })
}

func updateTrust(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) { r.TrustPolicy = form.Get("PolicyDocument") })
}

func putRolePolicy(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) {
		if r.Policies == nil {
			r.Policies = map[string]string{}
		}
		r.Policies[form.Get("PolicyName")] = form.Get("PolicyDocument")
	})
}

func deleteRolePolicy(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) { delete(r.Policies, form.Get("PolicyName")) })
}

func getRolePolicy(w *World, account string, form url.Values) (string, *apiError) {
	role, refusal := w.roleNamed(account, form.Get("RoleName"))
	if refusal != nil {
		return "", refusal
	}
	name := form.Get("PolicyName")
	text, ok := role.Policies[name]
	if !ok {
		return "", noSuchEntity("The role policy with name %s cannot be found.", name)
	}
	return element("RoleName", form.Get("RoleName")) + element("PolicyName", name) + element("PolicyDocument", url.QueryEscape(text)), nil
}

func listRolePolicies(w *World, account string, form url.Values) (string, *apiError) {
	role, refusal := w.roleNamed(account, form.Get("RoleName"))
	var s strings.Builder
	for _, name := range slices.Sorted(maps.Keys(role.Policies)) {
		s.WriteString(element("member", name))
	}
	return "<PolicyNames>" + s.String() + "</PolicyNames>" + element("IsTruncated", "false"), refusal
}

func listRoleTags(w *World, account string, form url.Values) (string, *apiError) {
	role, refusal := w.roleNamed(account, form.Get("RoleName"))
	return tagsXML(role.Tags) + element("IsTruncated", "false"), refusal
}

func tagRole(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) {
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		maps.Copy(r.Tags, tagsOf(form))
	})
}
