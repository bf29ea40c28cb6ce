package command

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// patience is the longest wait for a write to stderr.
const patience = time.Second

// impatientWriter writes to a stream that may block, such as a pipe that nobody
// reads. It abandons a write that does not end in time. Until that write ends, it
// drops all later ones, so that the stream does not block the program.
type impatientWriter struct {
	to    io.Writer
	stuck atomic.Bool
}

// Write writes a copy of b. The copy may be written after Write has returned.
func (w *impatientWriter) Write(b []byte) (int, error) {
	errStuck := fmt.Errorf("it accepted nothing within %s", patience)
	if w.stuck.Load() {
		return 0, errStuck
	}
	ended, kept := make(chan struct{}), bytes.Clone(b)
	var err error
	go func() {
		_, err = w.to.Write(kept)
		close(ended)
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-ended:
		return len(b), err
	case <-late.C:
		w.stuck.Store(true)
		go func() {
			<-ended
			w.stuck.Store(false)
		}()
		return 0, errStuck
	}
}
