package fakeaws

import (
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"time"
)

// imds answers the instance metadata service, version 2. It refuses requests
// without a session token.
func (s *Server) imds(w http.ResponseWriter, r *http.Request, _ []byte, call *Call) *apiError {
	node := s.World.node
	p := strings.TrimPrefix(r.URL.Path, "/latest")
	call.Operation = r.Method + " " + p
	if p == "/api/token" {
		if r.Method != http.MethodPut || r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds") == "" {
			return &apiError{http.StatusBadRequest, "", "want PUT with a time to live"}
		}
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		_, _ = w.Write([]byte(s.metadataToken))
		return nil
	}
	if r.Header.Get("X-Aws-Ec2-Metadata-Token") != s.metadataToken {
		return &apiError{http.StatusUnauthorized, "", "no token: version 1 is off"}
	}
	const credentials = "/meta-data/iam/security-credentials"
	role := path.Base(node.Role)
	switch {
	case p == "/dynamic/instance-identity/document":
		writeDocument(w, map[string]string{"instanceId": node.InstanceID, "region": node.Region, "accountId": accountOf(node.Role)})
	case strings.HasPrefix(p, credentials) && node.Role == "":
		return &apiError{http.StatusNotFound, "", "no instance profile"}
	case strings.TrimSuffix(p, "/") == credentials:
		_, _ = w.Write([]byte(role))
	case p == credentials+"/"+role:
		c := s.World.issue(node.Role, node.InstanceID, 6*time.Hour, false, "")
		writeDocument(w, map[string]string{
			"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": s.World.Now().UTC().Format(time.RFC3339),
			"AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "Token": c.SessionToken,
			"Expiration": c.Expires.UTC().Format(time.RFC3339),
		})
	default:
		return &apiError{http.StatusNotFound, "", "not here"}
	}
	return nil
}

func writeDocument(w http.ResponseWriter, document map[string]string) {
	body, _ := json.Marshal(document)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
