package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/aws"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/controller"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/leader"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/status"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/token"
	"ecr-cross-account-credential-provider/pkg/command"
)

// run is the command named run.
func (o *options) run(ctx context.Context, p command.Process, clock clock.Clock) error {
	if err := o.check(); err != nil {
		return err
	}
	conf, targets, err := o.load(p)
	if err != nil {
		return err
	}
	place, err := o.place()
	if err != nil {
		return err
	}
	a, err := o.join(p, clock, place)
	if err != nil {
		return err
	}
	p.Now = clock.Now
	a.keeper, err = token.New(token.Options{
		Targets: targets, Begin: aws.Begin(p.AWS(conf, nil), p.Hostname), Deadline: conf.Deadline,
		Clock: clock, Random: p.Random, Report: a.report,
	})
	if err != nil {
		return err
	}
	a.controller = controller.New(controller.Options{
		Kube: a.election.Kube, Metadata: a.metadata, Selector: o.selector, Secret: o.secret, Owner: place.namespace + "/" + o.lease,
		Tokens: a.keeper, Clock: clock, Observer: a.status, Log: a.log, Clean: a.clean,
	})
	ctx = withLog(ctx, a.log)
	if o.once {
		return a.once(ctx)
	}
	return a.serve(ctx, o)
}

// app holds the parts of the running program.
type app struct {
	log        *slog.Logger
	election   *leader.Election
	metadata   metadata.Interface
	status     *status.Status
	keeper     *token.Keeper
	controller *controller.Controller
}

// join creates the parts that need neither tokens nor Secrets.
func (o *options) join(p command.Process, clock clock.Clock, at place) (*app, error) {
	kube, err := kubernetes.NewForConfig(at.config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the API server: %w", err)
	}
	meta, err := metadata.NewForConfig(at.config)
	if err != nil {
		return nil, fmt.Errorf("making a client of the API server: %w", err)
	}
	a := &app{metadata: meta, election: &leader.Election{Kube: kube, Namespace: at.namespace, Name: o.lease, Identity: identity(p)}}
	a.log = newLog(p.Stderr, a.secrets)
	leading := a.election.Leading
	if !o.elect {
		leading = func() bool { return true }
	}
	a.status = status.New(status.Options{
		Clock: clock, Leading: leading, Following: a.election.Following,
		Tokens: func() []token.State { return a.keeper.States() },
	})
	return a, nil
}

// report logs the result of an attempt to get a token, and counts failures.
func (a *app) report(t token.Attempt) {
	a.status.Attempted(t)
	switch {
	case t.Err != nil:
		a.log.Error("no new token", "registry", t.Name, "class", classOf(t.Err), "error", t.Err.Error(), "next", t.Next.UTC(), "expires", t.Expires.UTC())
	case t.Note != "":
		a.log.Warn("new token, but not the configured role's", "registry", t.Name, "note", t.Note, "next", t.Next.UTC(), "expires", t.Expires.UTC())
	default:
		a.log.Info("new token", "registry", t.Name, "next", t.Next.UTC(), "expires", t.Expires.UTC())
	}
}

// once writes every Secret once. If something fails, once continues with the rest, and
// then returns the error.
func (a *app) once(ctx context.Context) error {
	a.keeper.Renew(ctx)
	err := a.controller.Once(ctx)
	if failed := failing(a.keeper.States()); failed > 0 {
		err = errors.Join(fmt.Errorf("registries without a new token: %d; each one's reason is logged above", failed), err)
	}
	if err != nil {
		return errors.New(a.clean(err))
	}
	return nil
}

// failing returns the number of registries without a new token. If repositories decide,
// a registry has several keys.
func failing(states []token.State) int {
	hosts := map[string]bool{}
	for _, s := range states {
		if s.Failing != nil {
			host, _, _ := strings.Cut(s.Key, "/")
			hosts[host] = true
		}
	}
	return len(hosts)
}

// serve works while this replica is the leader, until the context ends.
func (a *app) serve(ctx context.Context, o *options) error {
	if o.listen != "" {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
		if err != nil {
			return fmt.Errorf("serving metrics: %w", err)
		}
		a.log.Info("serving metrics and probes", "address", listener.Addr().String())
		server := &http.Server{Handler: a.status.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)}
		go func() { _ = server.Serve(listener) }()
		defer server.Close() //nolint:errcheck // nothing is lost
	}
	if !o.elect {
		a.work(ctx)
		return nil
	}
	return a.election.Run(ctx, a.work)
}

// work renews tokens and writes Secrets until the context ends. It writes no Secret
// before it has requested every token once.
func (a *app) work(ctx context.Context) {
	a.log.Info("started to write Secrets")
	a.keeper.Renew(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { a.keeper.Run(ctx, a.controller.Changed) })
	a.controller.Run(ctx)
	renewing.Wait()
	a.log.Info("stopped writing Secrets")
}
