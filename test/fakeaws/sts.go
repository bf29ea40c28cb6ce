package fakeaws

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// sts answers the Query API of STS.
func (s *Server) sts(w http.ResponseWriter, r *http.Request, body []byte, call *Call) *apiError {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return &apiError{http.StatusBadRequest, "MalformedInput", err.Error()}
	}
	call.Operation = form.Get("Action")
	if call.Operation == "AssumeRoleWithWebIdentity" { // the token is who asks; nothing is signed
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
	case "GetCallerIdentity":
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
	if !ok || !role.trusts(caller, call.ExternalID, len(call.Tags) > 0) {
		return denied(caller.Principal, "sts:AssumeRole", call.Role)
	}
	if refusal := role.checkDuration(call.Duration, caller.Chained); refusal != nil {
		return refusal
	}
	s.writeCredentials(w, call)
	return nil
}

func (s *Server) assumeRoleWithWebIdentity(w http.ResponseWriter, form url.Values, call *Call) *apiError {
	if refusal := call.readRole(form); refusal != nil {
		return refusal
	}
	who, refusal := s.World.verify(form.Get("WebIdentityToken"))
	call.Principal = who.Subject
	if refusal != nil {
		return refusal
	}
	role, ok := s.World.role(call.Role)
	if !ok || !slices.ContainsFunc(role.Trust, func(t Trust) bool { return t.meets(who.Subject) }) {
		return &apiError{http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"}
	}
	if refusal := role.checkDuration(call.Duration, false); refusal != nil {
		return refusal
	}
	s.writeCredentials(w, call)
	return nil
}

// readRole reads what the two ways to assume a role have in common.
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

func denied(who, action, what string) *apiError {
	return &apiError{http.StatusForbidden, "AccessDenied", fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", who, action, what)}
}

// trusts evaluates the trust policy.
func (r Role) trusts(caller Credentials, externalID string, tags bool) bool {
	return slices.ContainsFunc(r.Trust, func(t Trust) bool {
		return t.meets(caller.Role, accountOf(caller.Role)) && (t.ExternalID == "" || t.ExternalID == externalID) && (t.TagSession || !tags)
	})
}

func (r Role) checkDuration(d time.Duration, chained bool) *apiError {
	most := r.MaxSession
	if most == 0 {
		most = time.Hour
	}
	switch {
	case chained && d > time.Hour:
		return &apiError{http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"}
	case d < 15*time.Minute || d > most:
		return &apiError{http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."}
	}
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
