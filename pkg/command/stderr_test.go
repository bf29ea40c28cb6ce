package command

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
)

// TestImpatientWriter: only the first write waits for a stream that blocks. Its
// caller may change the bytes afterwards. When the first write has ended, the next
// ones are written again.
func TestImpatientWriter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		w := &impatientWriter{to: writer}
		text := []byte("first")
		if n, err := w.Write(text); n != 0 || err == nil {
			t.Errorf("got %d bytes, error %v; want 0 and an error, because nobody reads", n, err)
		}
		copy(text, "other")
		if n, err := w.Write([]byte("second")); n != 0 || err == nil {
			t.Errorf("got %d bytes, error %v; want 0 and an error, because nobody reads", n, err)
		}
		b := make([]byte, 20)
		if n, err := reader.Read(b); string(b[:n]) != "first" || err != nil {
			t.Errorf("got %q, error %v; want first", b[:n], err)
		}
		synctest.Wait() // until the first write has ended
		read := make(chan string, 1)
		go func() {
			b := make([]byte, 20)
			n, _ := reader.Read(b)
			read <- string(b[:n])
		}()
		if n, err := w.Write([]byte("third")); n != len("third") || err != nil {
			t.Errorf("got %d bytes, error %v; want the stream to accept writes again", n, err)
		}
		_ = writer.Close()
		if got := <-read; got != "third" {
			t.Errorf("got %q, want third", got)
		}
	})
	failing := errors.New("closed")
	reader, writer := io.Pipe()
	_ = reader.CloseWithError(failing)
	if _, err := (&impatientWriter{to: writer}).Write([]byte("x")); !errors.Is(err, failing) {
		t.Errorf("got %v, want %v", err, failing)
	}
}
