package fakeaws

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Server serves the services of a world, each on its own port.
type Server struct {
	World *World

	metadataToken string
	roundTrip     time.Duration
	urls          map[Service]string
	sockets       map[Service]*socket
	listeners     []*listener
	servers       []*http.Server
	caFile        string
	certificate   *tls.Config
	log           func(Call)
	sleep         func(time.Duration)
	hanging       func()

	mu      sync.Mutex
	calls   []Call
	faults  map[Service]*Fault
	trouble error         // an error of a socket
	changed chan struct{} // closed when a fault is turned on or off
}

// Options say how the services are served.
type Options struct {
	// TLS serves all services except IMDS and the proxy over TLS. Start writes the
	// authority's certificate to a file in Dir.
	TLS bool
	Dir string
	// Expired uses a TLS certificate that expired yesterday.
	Expired bool
	// Names are additional hosts in the TLS certificate, besides loopback and AWS's
	// hosts.
	Names []string
	// Listen has the addresses of services. The default is a free port on loopback.
	Listen map[Service]string
	// RoundTrip is the time of a round trip, except to IMDS and the proxy.
	RoundTrip time.Duration
	// Log, if set, is called with each call.
	Log func(Call)

	sleep   func(time.Duration) // waits for a round trip
	hanging func()              // called when a fault begins to hang
}

// Start serves a world until Close.
func Start(world *World, o Options) (*Server, error) {
	s := &Server{
		World:         world,
		metadataToken: metadataMark + requestID(),
		roundTrip:     o.RoundTrip,
		log:           o.Log,
		sleep:         time.Sleep,
		hanging:       func() {},
		urls:          map[Service]string{},
		sockets:       map[Service]*socket{},
		faults:        map[Service]*Fault{},
		changed:       make(chan struct{}),
	}
	if o.sleep != nil {
		s.sleep = o.sleep
	}
	if o.hanging != nil {
		s.hanging = o.hanging
	}
	if o.TLS {
		var err error
		if s.certificate, err = s.makeCertificate(o); err != nil {
			return nil, err
		}
	}
	handlers := map[Service]handler{IMDS: s.imds, STS: s.sts, ECR: s.ecr, ECRPublic: s.ecrPublic, IAM: s.iam, Registry: s.registry, S3: s.s3, Proxy: s.proxy}
	for service, h := range handlers {
		config := s.certificate
		if service == IMDS || service == Proxy {
			config = nil
		}
		if err := s.serve(service, o.Listen[service], h, config); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *Server) makeCertificate(o Options) (*tls.Config, error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	until := time.Now().Add(24 * time.Hour)
	if o.Expired {
		until = time.Now().Add(-24 * time.Hour)
	}
	certificate, err := ca.serverCertificate(until, o.Names...)
	if err != nil {
		return nil, err
	}
	s.caFile = filepath.Join(o.Dir, "fakeaws-ca.pem")
	others := &certificates{authority: ca, until: until, made: map[string]*tls.Certificate{}}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, GetCertificate: others.of, MinVersion: tls.VersionTLS12}
	return config, os.WriteFile(s.caFile, ca.pem(), 0o600)
}

func (s *Server) serve(service Service, address string, h handler, certificate *tls.Config) error {
	if address == "" {
		address = "127.0.0.1:0"
	}
	socket, err := newSocket(address)
	if err != nil {
		return err
	}
	s.sockets[service] = socket
	l := &listener{socket: socket, server: s, service: service, closed: make(chan struct{})}
	s.listeners = append(s.listeners, l)
	server := &http.Server{
		Handler:           s.handle(service, h),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	s.servers = append(s.servers, server)
	s.urls[service] = "http://" + socket.address()
	var accept net.Listener = l
	if certificate != nil {
		accept = tls.NewListener(l, certificate)
		s.urls[service] = "https://" + socket.address()
	}
	go func() { _ = server.Serve(accept) }()
	return nil
}

// Close ends all services, and every connection.
func (s *Server) Close() error {
	s.mu.Lock()
	errs := []error{s.trouble}
	s.mu.Unlock()
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for _, server := range s.servers {
		if err := server.Close(); !errors.Is(err, net.ErrClosed) { // the listeners are already closed
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// URL returns the URL of a service.
func (s *Server) URL(service Service) string { return s.urls[service] }

// TLS returns the TLS configuration of the services, for another server that serves one
// of Names. It is nil without Options.TLS.
func (s *Server) TLS() *tls.Config { return s.certificate }

// CAFile returns the path of the authority's certificate, or "" without
// Options.TLS.
func (s *Server) CAFile() string { return s.caFile }

// Env returns the environment that makes the AWS SDK call only this server.
func (s *Server) Env() []string {
	env := []string{
		"AWS_ENDPOINT_URL_STS=" + s.URL(STS),
		"AWS_ENDPOINT_URL_ECR=" + s.URL(ECR),
		"AWS_ENDPOINT_URL_ECR_PUBLIC=" + s.URL(ECRPublic),
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + s.URL(IMDS),
		"AWS_CONFIG_FILE=/nonexistent",
		"AWS_SHARED_CREDENTIALS_FILE=/nonexistent",
	}
	if s.caFile != "" {
		env = append(env, "AWS_CA_BUNDLE="+s.caFile)
	}
	return env
}

// Setenv makes the SDK in this process call only this server. It sets the variables of
// Env, and unsets all other variables of AWS and of proxies. Only a TestMain may call
// it.
func (s *Server) Setenv() error {
	var errs []error
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			errs = append(errs, os.Unsetenv(name))
		}
	}
	for _, variable := range s.Env() {
		name, value, _ := strings.Cut(variable, "=")
		errs = append(errs, os.Setenv(name, value))
	}
	return errors.Join(errs...)
}

// handler answers a request. If it returns an error, the server writes that error.
type handler func(http.ResponseWriter, *http.Request, []byte, *Call) *apiError

func (s *Server) handle(service Service, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return
		}
		w.Header().Set("Date", s.World.Now().UTC().Format(http.TimeFormat))
		operation := operationOf(r, body)
		if f, ok := s.takeFault(service, func(f *Fault) bool {
			return f.Kind != HangAccept && !f.Kind.ofConnections() && (f.Operation == "" || f.Operation == operation)
		}); ok {
			s.record(Call{Service: service, Operation: r.Method, Host: r.Host, Outcome: string(f.Kind)})
			if s.play(f, w, r, service); f.Kind != Pad {
				return
			}
		}
		call := Call{Service: service, Host: r.Host, Outcome: "ok"}
		refusal := h(w, r, body, &call)
		if refusal != nil {
			call.Outcome = refusal.code
			if call.Outcome == "" {
				call.Outcome = fmt.Sprint(refusal.status)
			}
		}
		s.record(call)
		if refusal != nil {
			refusal.write(w, service)
		}
	})
}

// operationOf returns the operation of an API request. For other requests it returns
// METHOD PATH.
func operationOf(r *http.Request, body []byte) string {
	if _, operation, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return operation
	}
	form, err := url.ParseQuery(string(body))
	if err == nil && form.Has("Action") {
		return form.Get("Action")
	}
	return r.Method + " " + r.URL.Path
}

func (s *Server) record(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	if s.log != nil {
		s.log(c)
	}
}

// Calls returns all requests so far, in order. If services are given, it returns only
// the requests to these.
func (s *Server) Calls(services ...Service) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var calls []Call
	for _, c := range s.calls {
		wanted := len(services) == 0
		for _, service := range services {
			wanted = wanted || c.Service == service
		}
		if wanted {
			calls = append(calls, c)
		}
	}
	return calls
}

// Forget empties the list of calls.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}
