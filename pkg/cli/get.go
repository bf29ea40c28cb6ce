package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/pkg/requestlog"
	"ecr-cross-account-credential-provider/pkg/trace"
)

// getCredentials serves the kubelet. It writes the response or nothing to stdout.
func getCredentials(conf *command.Configuration) func(*flag.FlagSet) command.Run {
	return func(flags *flag.FlagSet) command.Run {
		conf.Register(flags)
		return func(ctx context.Context, p Process, args []string) error {
			if len(args) > 0 {
				return command.UsageError("get-credentials takes no argument %q", printable.Short(args[0]))
			}
			c := &call{Process: p, trace: trace.Start(p.Now)}
			loaded, err := inTime(ctx, c, config.DefaultDeadline, "config", func(context.Context) (config.Config, error) { return conf.Load(p) })
			if err == nil {
				err = c.serve(ctx, loaded)
			}
			c.log(ctx, loaded.Log, err)
			c.count(err)
			return err
		}
	}
}

// call is one call of the kubelet.
type call struct {
	Process
	trace *trace.Trace

	mu      sync.Mutex
	outcome provider.Outcome // so far
	notes   []string         // of the cache
	store   *cache.Store     // open until the process ends
}

// serve writes the response within the deadline, or returns an error.
func (c *call) serve(ctx context.Context, conf config.Config) error {
	if spent := c.trace.Elapsed(); spent >= conf.Deadline-reserve(conf.Deadline) {
		return fmt.Errorf("no response within the deadline of %s: reading the configuration took %s; %s", conf.Deadline, spent.Round(time.Millisecond), stuckHint("config"))
	}
	response, err := inTime(ctx, c, conf.Deadline, "", func(ctx context.Context) ([]byte, error) { return c.respond(ctx, conf) })
	if err != nil {
		return c.withNotes(err)
	}
	_, err = inTime(ctx, c, conf.Deadline, "response", func(context.Context) (int, error) { return c.Stdout.Write(response) })
	if err != nil {
		return fmt.Errorf("writing the response to stdout: %w", err)
	}
	for _, note := range c.soFar().Notes {
		c.Note(note)
	}
	return nil
}

// respond reads the request and finds its response.
func (c *call) respond(ctx context.Context, conf config.Config) ([]byte, error) {
	end := c.trace.Step("request")
	request, err := kubelet.ReadRequest(c.Stdin)
	end()
	if err != nil {
		return nil, err
	}
	c.set(provider.Outcome{Image: request.Image()})
	end = c.trace.Step("cache")
	store := c.OpenCache(conf, c.addNote)
	end()
	c.keep(store)
	p := provider.Provider{Config: conf, AWS: c.AWS(conf, c.trace), Cache: store, Hostname: c.Hostname, Decided: c.set}
	o := p.Serve(ctx, request)
	c.set(o)
	if o.Err != nil {
		return nil, o.Err
	}
	return request.Encode(o.Response)
}

func (c *call) set(o provider.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcome = o
}

func (c *call) keep(store *cache.Store) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store = store
}

func (c *call) addNote(note string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes = append(c.notes, note)
}

// soFar returns the outcome so far, with the notes of the cache.
func (c *call) soFar() provider.Outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.outcome
	o.Notes = append(append([]string(nil), c.notes...), o.Notes...)
	return o
}

// withNotes appends the notes to an error, in the same line.
func (c *call) withNotes(err error) error {
	for _, note := range c.soFar().Notes {
		err = fmt.Errorf("%w; %s", err, note)
	}
	return err
}

// log writes the request's log entry. It runs after the response and never changes
// it. After a response, it reports on stderr if the log cannot be written. After an
// error it does not, because stderr gets one line only.
func (c *call) log(ctx context.Context, to config.Log, failure error) {
	o, class := c.soFar(), ""
	if failure != nil {
		o.Err = failure
		if exit, ok := errors.AsType[*command.ExitError](failure); ok && exit.Status == command.Misused {
			class = "configuration"
		}
	}
	if err := c.write(ctx, to, requestlog.New(o, class, c.trace, c.Now())); err != nil && failure == nil {
		c.Note(err.Error())
	}
}

func (c *call) write(ctx context.Context, to config.Log, entry requestlog.Entry) error {
	switch to.Destination {
	case config.ToJournal:
		if c.Journal != "" {
			entry.ToJournal(ctx, c.Journal, Name)
		}
	case config.ToStderr:
		return entry.ToStream(ctx, c.Stderr)
	case config.ToFile:
		return entry.ToFile(ctx, to.File)
	case config.ToNone:
	}
	return nil
}

// reserve is the part of the deadline that is left for writing an error.
func reserve(deadline time.Duration) time.Duration { return min(time.Second, deadline/10) }

// inTime calls f, with a context that ends a little before the deadline. The
// deadline counts from the start of the command. inTime returns in time even if f
// ignores the context. f may wait for a stdin that is never closed, or for a disk.
// Then the error names the step that hangs.
func inTime[T any](ctx context.Context, c *call, deadline time.Duration, step string, f func(context.Context) (T, error)) (T, error) {
	grace := reserve(deadline)
	ctx, cancel := context.WithTimeout(ctx, deadline-grace-c.trace.Elapsed())
	defer cancel()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if cause := recover(); cause != nil {
				r.err = fmt.Errorf("a defect in this program, please report it: %v", cause)
			}
			done <- r
		}()
		if step != "" {
			defer c.trace.Step(step)()
		}
		r.value, r.err = f(ctx)
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	late := time.NewTimer(min(grace, deadline-c.trace.Elapsed()))
	defer late.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-late.C:
		var none T
		return none, c.stuck(ctx, deadline)
	}
}

// stuck returns the error for a step that hangs.
func (c *call) stuck(ctx context.Context, deadline time.Duration) error {
	step := c.trace.Running()
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("stopped by a signal in step %q", step)
	}
	return fmt.Errorf("no response within the deadline of %s: step %q did not end; %s", deadline, step, stuckHint(step))
}

// stuckHint says what to check if a step hangs.
func stuckHint(step string) string {
	switch step {
	case "config":
		return "is the configuration on a disk that answers?"
	case "request":
		return "was the request on stdin written and closed?"
	case "sdk":
		return "are the files of the AWS SDK on a disk that answers?"
	case "cache":
		return "is cache.directory on a disk that answers?"
	case "response":
		return "does anybody read stdout?"
	}
	return "please report this defect, and attach the log"
}
