// Package controller gives each selected namespace a pull Secret, and keeps its
// content correct.
//
// # Reading order
//
// controller.go runs sessions. Every ten minutes a new session lists and watches
// everything again. So a watch that has failed unnoticed does harm for ten minutes at
// most. session.go has the queue of namespaces. view.go has the objects that the API
// server has sent so far. reconcile.go has the work for one namespace, and attach.go
// the service accounts.
package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/dockerconfig"
)

// Tokens holds the content of the Secrets.
type Tokens interface {
	// Credentials returns the credentials that have not expired.
	Credentials() []dockerconfig.Credential
	// Knows reports whether Credentials may ever return a key.
	Knows(key string) bool
}

// Observer receives events for metrics.
type Observer interface {
	// Wrote reports a write of a Secret or a service account.
	Wrote()
	// Failed reports a namespace that could not be served.
	Failed()
	// Foreign reports the number of Secrets that belong to somebody else.
	Foreign(n int)
	// Synced reports that all namespaces were tried. Some of them may have failed.
	Synced(namespaces, failed int)
}

// Options are what a Controller needs.
type Options struct {
	Kube     kubernetes.Interface
	Metadata metadata.Interface
	// Selector selects the namespaces by their labels.
	Selector string
	// Secret is the name of each Secret.
	Secret string
	// Owner names this release, NAMESPACE/NAME of its Lease.
	Owner    string
	Tokens   Tokens
	Clock    clock.Clock
	Observer Observer
	Log      *slog.Logger
	// Clean removes secrets from an error of the API server.
	Clean func(error) string
}

// Controller writes the Secrets. New returns one.
type Controller struct {
	o       Options
	changed chan struct{}
	foreign *foreigners
}

// New returns a Controller that does not run yet.
func New(o Options) *Controller {
	return &Controller{o: o, changed: make(chan struct{}, 1), foreign: newForeigners(o)}
}

// Changed tells the controller that Tokens has changed. It does not wait.
func (c *Controller) Changed() {
	select {
	case c.changed <- struct{}{}:
	default: // the controller will read Tokens anyway
	}
}

// resync is the time between two listings of everything.
const resync = 10 * time.Minute

// Run serves the namespaces until the context ends.
func (c *Controller) Run(ctx context.Context) {
	defer c.foreign.keep(nil) // without a watch, they are not known any more
	for ctx.Err() == nil {
		c.session(ctx)
	}
}

// session serves the namespaces until everything must be listed again. It ends at that
// time even if the API server has not listed everything.
func (c *Controller) session(ctx context.Context) {
	fresh, cancel := c.timeout(ctx, resync)
	s, err := c.begin(ctx, fresh, fresh)
	defer func() {
		cancel()
		s.end()
	}()
	if err != nil {
		return // the session's time is over
	}
	s.addAll()
	for {
		select {
		case <-fresh.Done():
			return
		case <-c.changed:
			s.addAll()
		}
	}
}

// timeout returns a context that ends after d, by the controller's clock.
func (c *Controller) timeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	timer := c.o.Clock.NewTimer(d)
	go func() {
		defer cancel()
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C():
		}
	}()
	return ctx, cancel
}

// Once serves every namespace once. It returns an error if some could not be served, or
// if the API server does not list everything in the time of a session.
func (c *Controller) Once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	limit, stop := c.timeout(ctx, resync)
	s, err := c.begin(ctx, ctx, limit)
	stop()
	defer func() {
		cancel()
		s.end()
	}()
	if err != nil {
		return fmt.Errorf("listing namespaces, Secrets and service accounts: %w; check the API server and the program's RBAC rules", err)
	}
	s.addAll()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case failed := <-s.batch.done:
		if failed += c.foreign.count(); failed > 0 {
			return fmt.Errorf("namespaces that could not be served: %d; each one's reason is logged above", failed)
		}
		return nil
	}
}

var errNoAnswer = errors.New("the API server did not answer")
