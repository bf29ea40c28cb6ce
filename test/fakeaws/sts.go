package fakeaws

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// sts answers the Query API of STS.
func (s *Server) sts(w http.ResponseWriter, r *http.Request, body []byte, call *Call) *apiError {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return &apiError{http.StatusBadRequest, "MalformedInput", err.Error()}
	}
	call.Operation = form.Get("Action")
	if call.Operation == "AssumeRoleWithWebIdentity" { // the token names the caller; the request is not signed
		return s.assumeRoleWithWebIdentity(w, form, call)
	}
	signature, caller, refusal := s.World.authenticateRequest(r, body, "sts")
	call.Region, call.Principal = signature.region, caller.Principal
	if refusal != nil {
		return refusal
	}
	switch call.Operation {
	case "AssumeRole":
		return s.assumeRole(w, form, caller, call)
	case "GetCallerIdentity": // needs no permission
		if refusal := s.World.pass(STSEndpoint, s.World.action("sts:GetCallerIdentity", "*", accountOf(caller.Role), caller)); refusal != nil {
			return refusal
		}
		writeXML(w, call.Operation, fmt.Sprintf("<Arn>%s</Arn><UserId>AROAEXAMPLE:x</UserId><Account>%s</Account>",
			caller.Principal, accountOf(caller.Principal)))
		return nil
	}
	return &apiError{http.StatusBadRequest, "InvalidAction", "Could not find operation " + call.Operation}
}

func (s *Server) assumeRole(w http.ResponseWriter, form url.Values, caller Credentials, call *Call) *apiError {
	if refusal := call.readRole(form); refusal != nil {
		return refusal
	}
	role, ok := s.World.role(call.Role)
	for _, name := range call.actions("sts:AssumeRole") {
		if refusal := s.World.mayAssume(call.assuming(s.World.action(name, call.Role, accountOf(call.Role), caller)), role, ok, caller); refusal != nil {
			return refusal
		}
	}
	if refusal := role.checkDuration(call.Duration, caller.Chained); refusal != nil {
		return refusal
	}
	s.writeCredentials(w, call)
	return nil
}

// actions returns the actions that a call needs. Session tags need an additional one.
func (c *Call) actions(first string) []string {
	if len(c.Tags) > 0 {
		return []string{first, "sts:TagSession"}
	}
	return []string{first}
}

// assuming adds the condition keys of the call.
func (c *Call) assuming(a action) action {
	if c.ExternalID != "" {
		a.keys["sts:externalid"] = []string{c.ExternalID}
	}
	a.keys["sts:rolesessionname"] = []string{c.Session}
	for _, tag := range c.Tags {
		key, value, _ := strings.Cut(tag, "=")
		a.keys["aws:requesttag/"+strings.ToLower(key)] = []string{value}
		a.keys["aws:tagkeys"] = append(a.keys["aws:tagkeys"], key)
	}
	return a
}

// mayAssume decides like STS. The role's trust policy must allow the action. The
// caller's permissions must allow it too, unless a trust policy in the same account
// names the caller. Unless the trust policy has an explicit denial, the error reveals
// neither the trust policy nor whether the role exists.
func (w *World) mayAssume(a action, role Role, exists bool, caller Credentials) *apiError {
	if refusal := w.pass(STSEndpoint, a); refusal != nil {
		return refusal
	}
	own, _ := w.role(caller.Role)
	trust := role.trustPolicy()
	byTrust, bySession, byRole := a.evaluate(trust), a.evaluate(sessionPolicy(caller.Policy)...), a.evaluate(own.permissions()...)
	refuse := func(e effect, policies string) *apiError {
		return &apiError{http.StatusForbidden, "AccessDenied", a.refusal(e, policies)}
	}
	switch named := accountOf(caller.Role) == accountOf(role.ARN) && a.namedIn(trust); {
	case byRole == denied:
		return refuse(byRole, "identity-based")
	case bySession != allowed:
		return refuse(bySession, "session")
	case byRole != allowed && !named:
		return refuse(byRole, "identity-based")
	case !exists || byTrust == silent:
		return refuse(byTrust, "")
	case byTrust == denied:
		return refuse(byTrust, "resource-based")
	}
	return nil
}

func (s *Server) assumeRoleWithWebIdentity(w http.ResponseWriter, form url.Values, call *Call) *apiError {
	if refusal := call.readRole(form); refusal != nil {
		return refusal
	}
	const name = "sts:AssumeRoleWithWebIdentity"
	// There is no principal yet for the endpoint's policy.
	a := s.World.action(name, call.Role, accountOf(call.Role), Credentials{})
	if refusal := s.World.pass(STSEndpoint, a); refusal != nil {
		return &apiError{refusal.status, refusal.code, "Not authorized to perform " + name}
	}
	who, refusal := s.World.verify(form.Get("WebIdentityToken"), accountOf(call.Role))
	call.Principal = who.Subject
	if refusal != nil {
		return refusal
	}
	role, ok := s.World.role(call.Role)
	if a = who.assuming(a); !ok || a.evaluate(role.trustPolicy()) != allowed {
		return &apiError{http.StatusForbidden, "AccessDenied", "Not authorized to perform " + name}
	}
	if refusal := role.checkDuration(call.Duration, false); refusal != nil {
		return refusal
	}
	s.writeCredentials(w, call)
	return nil
}

// readRole reads the parameters that both operations share.
func (c *Call) readRole(form url.Values) *apiError {
	c.Role, c.Session, c.ExternalID, c.Policy = form.Get("RoleArn"), form.Get("RoleSessionName"), form.Get("ExternalId"), form.Get("Policy")
	for i := 1; form.Has(fmt.Sprintf("Tags.member.%d.Key", i)); i++ {
		c.Tags = append(c.Tags, form.Get(fmt.Sprintf("Tags.member.%d.Key", i))+"="+form.Get(fmt.Sprintf("Tags.member.%d.Value", i)))
	}
	seconds, err := strconv.Atoi(cmp.Or(form.Get("DurationSeconds"), "3600"))
	if err != nil {
		return &apiError{http.StatusBadRequest, "ValidationError", "DurationSeconds is not a number"}
	}
	c.Duration = time.Duration(seconds) * time.Second
	return nil
}

// writeCredentials issues credentials for the role and session of a call.
func (s *Server) writeCredentials(w http.ResponseWriter, call *Call) {
	c := s.World.issue(call.Role, call.Session, call.Duration, true, call.Policy)
	writeXML(w, call.Operation, fmt.Sprintf(
		"<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>"+
			"<AssumedRoleUser><Arn>%s</Arn><AssumedRoleId>AROAEXAMPLE:%s</AssumedRoleId></AssumedRoleUser>",
		c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.Expires.UTC().Format(time.RFC3339), c.Principal, call.Session))
}

func writeXML(w http.ResponseWriter, operation, result string) {
	id := requestID()
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", id)
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>%[3]s</RequestId></ResponseMetadata></%[1]sResponse>`,
		operation, result, id)
}
