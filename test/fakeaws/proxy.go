package fakeaws

import (
	"io"
	"net"
	"net/http"
	"strings"
)

// proxy answers CONNECT. It connects AWS's own host names to the services, and refuses
// other hosts.
func (s *Server) proxy(w http.ResponseWriter, r *http.Request, _ []byte, call *Call) *apiError {
	call.Operation = r.Method + " " + r.Host
	host, port, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil {
		return &apiError{http.StatusMethodNotAllowed, "", "want CONNECT HOST:PORT"}
	}
	service, ok := serviceOf(host)
	if !ok || port != "443" {
		return &apiError{http.StatusForbidden, "", "no service at " + r.Host}
	}
	upstream, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", s.sockets[service].address())
	if err != nil {
		return &apiError{http.StatusBadGateway, "", err.Error()}
	}
	return join(w, upstream)
}

// join answers that the connection is established. It then copies in both directions
// until one side closes.
func join(w http.ResponseWriter, upstream net.Conn) *apiError {
	defer upstream.Close() //nolint:errcheck // an error loses nothing
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return &apiError{http.StatusInternalServerError, "", err.Error()}
	}
	defer conn.Close() //nolint:errcheck // an error loses nothing
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return nil
	}
	go func() {
		_, _ = io.Copy(upstream, buffered)
		_ = upstream.Close()
	}()
	_, _ = io.Copy(conn, upstream)
	return nil
}

// ProxyEnv returns the environment for a program that uses AWS's own host names,
// through the proxy. Only IMDS is reached directly. ProxyEnv needs Options.TLS.
func (s *Server) ProxyEnv() []string {
	env := []string{"HTTPS_PROXY=" + s.URL(Proxy), "SSL_CERT_FILE=" + s.caFile}
	for _, variable := range s.Env() {
		if !strings.HasPrefix(variable, "AWS_ENDPOINT_URL_") {
			env = append(env, variable)
		}
	}
	return env
}
