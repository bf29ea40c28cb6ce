package fakeaws

import (
	"fmt"
	"net/http"
	"net/url"
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
	signature, caller, refusal := s.World.authenticateRequest(r, body, "sts")
	call.Region, call.Principal = signature.region, caller.Principal
	if refusal != nil {
		return refusal
	}
	switch call.Operation {
	case "AssumeRole":
		return s.assumeRole(w, form, caller, call)
	case "GetCallerIdentity":
		writeXML(w, "GetCallerIdentity", fmt.Sprintf("<Arn>%s</Arn><UserId>AROAEXAMPLE:x</UserId><Account>%s</Account>",
			caller.Principal, accountOf(caller.Principal)))
		return nil
	}
	return &apiError{http.StatusBadRequest, "InvalidAction", "Could not find operation " + call.Operation}
}

func (s *Server) assumeRole(w http.ResponseWriter, form url.Values, caller Credentials, call *Call) *apiError {
	arn, session := form.Get("RoleArn"), form.Get("RoleSessionName")
	call.Role, call.Session, call.ExternalID = arn, session, form.Get("ExternalId")
	seconds, err := strconv.Atoi(form.Get("DurationSeconds"))
	if err != nil {
		return &apiError{http.StatusBadRequest, "ValidationError", "DurationSeconds is not a number"}
	}
	call.Duration = time.Duration(seconds) * time.Second
	role, ok := s.World.role(arn)
	if !ok || !role.trusts(caller, call.ExternalID) {
		return &apiError{http.StatusForbidden, "AccessDenied", fmt.Sprintf(
			"User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller.Principal, arn)}
	}
	if refusal := role.checkDuration(call.Duration, caller.Chained); refusal != nil {
		return refusal
	}
	c := s.World.issue(arn, session, call.Duration, true)
	writeXML(w, "AssumeRole", fmt.Sprintf(
		"<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials>"+
			"<AssumedRoleUser><Arn>%s</Arn><AssumedRoleId>AROAEXAMPLE:%s</AssumedRoleId></AssumedRoleUser>",
		c.AccessKeyID, c.SecretAccessKey, c.SessionToken, c.Expires.UTC().Format(time.RFC3339), c.Principal, session))
	return nil
}

// trusts evaluates the trust policy.
func (r Role) trusts(caller Credentials, externalID string) bool {
	for _, t := range r.Trust {
		isPrincipal := t.Principal == caller.Role || t.Principal == accountOf(caller.Role)
		if isPrincipal && (t.ExternalID == "" || t.ExternalID == externalID) {
			return true
		}
	}
	return false
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

func writeXML(w http.ResponseWriter, operation, result string) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>%[3]s</RequestId></ResponseMetadata></%[1]sResponse>`,
		operation, result, requestID())
}
