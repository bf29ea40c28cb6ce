package fakeaws

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
)

// apiError is an error in AWS's form.
type apiError struct {
	status        int
	code, message string
}

var (
	errUnknownKey = &apiError{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid"}
	errExpired    = &apiError{http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired"}
)

func mismatch(message string) *apiError {
	return &apiError{http.StatusForbidden, "SignatureDoesNotMatch", message}
}

// jsonCodes maps error codes of the query APIs to the codes of the JSON APIs, where
// they differ.
var jsonCodes = map[string]string{
	"InvalidClientTokenId":  "UnrecognizedClientException",
	"ExpiredToken":          "ExpiredTokenException",
	"SignatureDoesNotMatch": "InvalidSignatureException",
	"AccessDenied":          "AccessDeniedException",
	"Throttling":            "ThrottlingException",
	"InternalFailure":       "ServerException",
}

// write answers with the error, in the service's protocol.
func (e *apiError) write(w http.ResponseWriter, service Service) {
	switch service {
	case STS, IAM:
		id := requestID()
		message, _ := xml.Marshal(e.message)
		w.Header().Set("Content-Type", "text/xml")
		w.Header().Set("X-Amzn-Requestid", id)
		w.WriteHeader(e.status)
		_, _ = fmt.Fprintf(w, `<ErrorResponse xmlns="https://%s.amazonaws.com/doc/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
			service, e.code, trimElement(message), id)
	case ECR, ECRPublic:
		status, code := e.status, e.code
		if known, ok := jsonCodes[code]; ok {
			code = known
		}
		if status == http.StatusForbidden {
			status = http.StatusBadRequest
		}
		body, _ := json.Marshal(map[string]string{"__type": code, "message": e.message})
		writeJSON(w, status, body)
	case Registry:
		e.writeOCI(w)
	case S3:
		message, _ := xml.Marshal(e.message)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(e.status)
		_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, e.code, trimElement(message))
	default:
		http.Error(w, e.message, e.status)
	}
}

// writeOCI answers like a registry: as JSON, or as plain text if the error has no code.
func (e *apiError) writeOCI(w http.ResponseWriter) {
	if e.code == "" {
		http.Error(w, e.message, e.status)
		return
	}
	body, _ := json.Marshal(map[string]any{"errors": []any{map[string]string{"code": e.code, "message": e.message}}})
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.status)
	_, _ = w.Write(body)
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", requestID())
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// trimElement removes the <string></string> that xml.Marshal puts around text.
func trimElement(b []byte) []byte { return b[len("<string>") : len(b)-len("</string>")] }

func requestID() string { return fmt.Sprintf("%x", random(16)) }
