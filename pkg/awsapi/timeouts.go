package awsapi

import "time"

// Timeouts limit each part of a call to AWS, so that a hang of one part leaves time
// for the others. All parts also end with the caller's context.
type Timeouts struct {
	// Dial, Handshake and Attempt limit one attempt of one call: its connection,
	// its TLS handshake, and the whole attempt to the last byte.
	Dial, Handshake, Attempt time.Duration
	// Metadata limits one request to the instance metadata service.
	Metadata time.Duration
	// Source limits the search for the node's own credentials, from any source. A
	// profile's process or role may need a long time. IMDS may need four attempts.
	Source time.Duration
	// Instance limits the request for the instance's identity document.
	Instance time.Duration
	// Public limits the request for a token of ECR Public. Pulls also work without
	// one.
	Public time.Duration
}

// Patient returns the timeouts with another limit for all except an attempt as a whole.
// Tests need it: a busy machine may take longer than the default.
func (t Timeouts) Patient(limit time.Duration) Timeouts {
	t.Dial, t.Handshake, t.Metadata, t.Source, t.Instance, t.Public = limit, limit, limit, limit, limit, limit
	return t
}

// DefaultTimeouts returns timeouts that fit within a deadline of 20s.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Dial: 3 * time.Second, Handshake: 3 * time.Second, Attempt: 6 * time.Second,
		Metadata: time.Second, Source: 10 * time.Second, Instance: time.Second, Public: 5 * time.Second,
	}
}
