package awsapi

import "time"

// Timeouts bound each piece of a conversation with AWS, so that no hang of one
// uses up what the others need. All of them end with the caller's context too.
type Timeouts struct {
	// Dial, Handshake and Attempt bound one attempt of one call: its connection,
	// its TLS handshake, and all of it to the last byte.
	Dial, Handshake, Attempt time.Duration
	// Metadata bounds one request to the instance metadata service.
	Metadata time.Duration
	// Source bounds finding the node's own credentials, from whatever source: a
	// profile's process or role may take its time. IMDS alone has four attempts.
	Source time.Duration
	// Instance bounds asking what instance this is.
	Instance time.Duration
	// Public bounds a token for ECR Public, which pulls do without.
	Public time.Duration
}

// DefaultTimeouts fit within a deadline of 20s.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Dial: 3 * time.Second, Handshake: 3 * time.Second, Attempt: 6 * time.Second,
		Metadata: time.Second, Source: 10 * time.Second, Instance: time.Second, Public: 5 * time.Second,
	}
}
