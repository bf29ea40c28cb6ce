package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/pkg/record"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// graceOf is what is kept of the deadline for saying why nothing came of it.
func graceOf(deadline time.Duration) time.Duration { return min(time.Second, deadline/10) }

// getCredentials is the kubelet's call. Stdout gets the answer or nothing.
func getCredentials(ctx context.Context, p Process, o options, args []string) error {
	if len(args) > 0 {
		return usageError("get-credentials takes no argument %q", printable.Short(args[0]))
	}
	r := record.Start(p.Now)
	end := r.Step("config")
	c, err := o.load(p)
	end()
	if err == nil {
		err = serve(record.With(ctx, r), p, c)
	}
	p.log(ctx, c.Log, r, err)
	return err
}

// serve gives the answer within the deadline, or an error.
func serve(ctx context.Context, p Process, c config.Config) error {
	grace := graceOf(c.Deadline)
	ctx, cancel := context.WithTimeout(ctx, c.Deadline-grace)
	defer cancel()
	notes := &notes{record: record.Of(ctx)}
	response, err := inTime(ctx, grace, func() ([]byte, error) { return respond(ctx, p, c, notes) })
	if err != nil {
		return notes.behind(err)
	}
	if _, err := p.Stdout.Write(response); err != nil {
		return fmt.Errorf("writing the answer to stdout: %w", err)
	}
	notes.print(p)
	return nil
}

// aws is how a configuration wants AWS to be reached.
func (p Process) aws(c config.Config) awsapi.Options {
	return awsapi.Options{
		Timeouts:     awsapi.DefaultTimeouts(),
		Now:          p.Now,
		Random:       p.Random,
		ECREndpoints: c.Endpoints.ECR,
		STSEndpoints: c.Endpoints.STS,
		Profile:      c.Node.Profile,
		ConfigFile:   c.Node.ConfigFile,
	}
}

func respond(ctx context.Context, p Process, c config.Config, notes *notes) ([]byte, error) {
	r := record.Of(ctx)
	end := r.Step("request")
	request, err := kubelet.ReadRequest(p.Stdin)
	end()
	if err != nil {
		return nil, err
	}
	end = r.Step("cache")
	store := p.openCache(c, notes.add)
	end()
	defer store.Close() //nolint:errcheck // nothing is lost by it
	answers := provider.Provider{
		Config:      c,
		AWS:         p.aws(c),
		Cache:       store,
		Environment: p.Environ(),
		Hostname:    p.Hostname,
		Warn:        notes.add,
	}
	answer, err := answers.Answer(ctx, request)
	if err != nil {
		return nil, err
	}
	r.Set(record.CacheDuration, rule.ShortDuration(answer.Duration))
	return request.Encode(answer)
}

// notes are what people should know beside an answer, or an error.
type notes struct {
	record *record.Record // has them, too

	mu   sync.Mutex
	text []string
}

func (n *notes) add(note string) {
	n.record.AddNote(note)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = append(n.text, note)
}

// behind puts the notes into the one line of an error.
func (n *notes) behind(err error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, note := range n.text {
		err = fmt.Errorf("%w; %s", err, note)
	}
	return err
}

// print writes a line for each note.
func (n *notes) print(p Process) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, note := range n.text {
		p.note(note)
	}
}

// note writes a line beside an answer.
func (p Process) note(text string) {
	_, _ = fmt.Fprintf(p.Stderr, "%s: %s\n", Name, printable.Line(text, maxLine))
}

// inTime waits for what may be stuck where no context reaches it, such as a
// stdin that is never closed, no longer than the context and a little.
func inTime(ctx context.Context, grace time.Duration, ask func() ([]byte, error)) ([]byte, error) {
	type result struct {
		response []byte
		err      error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if cause := recover(); cause != nil {
				r = result{err: fmt.Errorf("a mistake in this program, please report it: %v", cause)}
			}
			done <- r
		}()
		r.response, r.err = ask()
	}()
	select {
	case r := <-done:
		return r.response, r.err
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case r := <-done:
		return r.response, r.err
	case <-late.C:
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, errors.New("stopped by a signal")
		}
		return nil, errors.New("no answer within the deadline, nor a cause; was the request on stdin ever written and closed?")
	}
}
