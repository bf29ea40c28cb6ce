package controller

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
)

// session serves namespaces from one listing of everything to the next.
type session struct {
	Options
	view    *view
	queue   workqueue.TypedRateLimitingInterface[string]
	batch   *batch
	fights  *fights
	foreign *foreigners
	workers sync.WaitGroup
}

const (
	// workers is the number of namespaces that are served at the same time.
	workers = 8
	// patience limits the time for one namespace.
	patience = 30 * time.Second
	// maxConflicts limits the retries of a namespace whose object is newer than the
	// view.
	maxConflicts = 10
)

// begin lists and watches everything until fresh ends. It returns an error if the lists
// are not complete when limit ends. The caller must end the session, even after an error.
// Work that has begun when fresh ends continues until ctx ends, because a cancelled write
// may still have an effect.
func (c *Controller) begin(ctx, fresh, limit context.Context) (*session, error) {
	s := &session{
		Options: c.o, foreign: c.foreign, batch: newBatch(c.o.Observer), fights: &fights{count: map[string]int{}},
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](100*time.Millisecond, time.Minute)),
	}
	var err error
	if s.view, err = newView(fresh, c.o, s.add); err != nil {
		return s, err
	}
	if err := s.view.listed(limit); err != nil {
		return s, err
	}
	for range workers {
		s.workers.Go(func() { s.work(ctx, fresh) })
	}
	return s, nil
}

// end waits until all work of the session has ended. fresh must have ended before.
func (s *session) end() {
	s.queue.ShutDown()
	s.workers.Wait()
	if s.view != nil {
		s.view.shutdown()
	}
}

// add queues a namespace.
func (s *session) add(namespace string) { s.queue.AddAfter(namespace, s.fights.delay(namespace)) }

// addAll queues all namespaces. The observer learns when all of them were tried.
func (s *session) addAll() {
	names := s.view.names()
	s.foreign.keep(names)
	s.batch.start(names)
	for name := range names {
		s.queue.Add(name)
	}
}

// work serves namespaces until fresh ends. The next session serves the rest of the
// queue.
func (s *session) work(ctx, fresh context.Context) {
	for {
		namespace, over := s.queue.Get()
		if over {
			return
		}
		if fresh.Err() == nil {
			s.serve(ctx, namespace)
		}
		s.queue.Done(namespace)
	}
}

func (s *session) serve(ctx context.Context, namespace string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.reconcile(ctx, namespace)
	switch {
	case err == nil:
		s.queue.Forget(namespace)
	case context.Cause(ctx) == context.Canceled: //nolint:errorlint // the cause itself: the session ends
		return
	case apierrors.IsConflict(err) && s.queue.NumRequeues(namespace) < maxConflicts:
		s.queue.AddRateLimited(namespace) // the object is newer than the view, which will get it soon
		return
	default:
		s.queue.AddRateLimited(namespace)
		s.Observer.Failed()
		s.Log.Warn("serving a namespace", "namespace", namespace, "error", s.Clean(err))
	}
	s.batch.ended(namespace, err)
}
