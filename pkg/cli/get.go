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
	"ecr-cross-account-credential-provider/pkg/provider"
)

// grace is what a step gets to say why it did not end in time. The kubelet
// waits for 60s, the deadline is 50s at most.
const grace = time.Second

// getCredentials is the kubelet's call. Stdout gets the answer or nothing.
func getCredentials(ctx context.Context, p Process, o options, args []string) error {
	if len(args) > 0 {
		return usageError("get-credentials takes no argument %q", cut(args[0]))
	}
	c, err := o.load(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Deadline)
	defer cancel()
	response, err := inTime(ctx, func() ([]byte, error) { return respond(ctx, p, c) })
	if err != nil {
		return err
	}
	if _, err := p.Stdout.Write(response); err != nil {
		return fmt.Errorf("writing the answer to stdout: %w", err)
	}
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

func respond(ctx context.Context, p Process, c config.Config) ([]byte, error) {
	request, err := kubelet.ReadRequest(p.Stdin)
	if err != nil {
		return nil, err
	}
	notes := &notes{}
	store := p.openCache(c, notes.add)
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
		return nil, notes.behind(err)
	}
	notes.print(p)
	return request.Encode(answer)
}

// notes are what people should know beside an answer, or an error.
type notes struct {
	mu   sync.Mutex
	text []string
}

func (n *notes) add(note string) {
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
		_, _ = fmt.Fprintf(p.Stderr, "%s: %s\n", Name, singleLine(note))
	}
}

// inTime waits for what may be stuck where no context reaches it, such as a
// stdin that is never closed, no longer than the context and a little.
func inTime(ctx context.Context, ask func() ([]byte, error)) ([]byte, error) {
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
