//go:build unix

package cache

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// TestMain runs a child instead of the tests if the environment names one.
func TestMain(m *testing.M) {
	if name := os.Getenv("CACHE_TEST_CHILD"); name != "" {
		if err := children[name]("cache"); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// children are the functions of child processes, by name. A child's cache is in its
// working directory.
var children = map[string]func(dir string) error{
	"patient":   func(dir string) error { return pullChild(dir, time.Hour) },
	"impatient": func(dir string) error { return pullChild(dir, 2*time.Second) },
	"load":      loadChild,
	"read-only": readOnlyChild,
	"limited":   limitedChild,
	"full":      fullChild,
}

// child is a process that a test has started.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startChild(t *testing.T, name, dir string, change func(*exec.Cmd)) *child {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "CACHE_TEST_CHILD="+name)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	if change != nil {
		change(cmd)
	}
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &child{t, cmd, in, bufio.NewScanner(out)}
}

func (c *child) expect(want string) {
	c.t.Helper()
	if !c.out.Scan() || c.out.Text() != want {
		c.t.Fatalf("got output %q, %v of the child; want %q", c.out.Text(), c.out.Err(), want)
	}
}

func (c *child) proceed() {
	c.t.Helper()
	_, err := c.in.Write([]byte("\n"))
	must(c.t, err)
}

// openChild opens the cache like the product.
func openChild(dir string) (*Store, error) {
	return Open(dir, Options{
		Now: time.Now, Random: rand.Float64,
		Warn: func(s string) { fmt.Println("warned:", s) },
	})
}

// wholeToken returns a token that holds its key and a checksum.
func wholeToken(key Key, n int) string {
	body := fmt.Sprintf("%s %d %s", key, n, strings.Repeat("x", 1000+n%3000))
	sum := sha256.Sum256([]byte(body))
	return body + " " + hex.EncodeToString(sum[:])
}

func checkWhole(key Key, token string) error {
	i := strings.LastIndexByte(token, ' ')
	if i < 0 {
		return errors.New("torn")
	}
	sum := sha256.Sum256([]byte(token[:i]))
	switch {
	case token[i+1:] != hex.EncodeToString(sum[:]):
		return errors.New("torn")
	case !strings.HasPrefix(token, key.String()+" "):
		return errors.New("another key's token")
	}
	return nil
}

// pullChild pulls once. It prints "asking" if it calls AWS, and then the outcome.
// Its call to AWS lasts until the parent lets it proceed.
func pullChild(dir string, limit time.Duration) error {
	in := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	_, _ = in.ReadString('\n')
	s, err := openChild(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	l, err := s.Acquire(ctx, request, func(context.Context) (Token, error) {
		fmt.Println("asking")
		_, _ = in.ReadString('\n')
		if _, err := os.Stat("refused"); err == nil {
			return Token{}, errRefused
		}
		return Token{Secret: secret.New(wholeToken(request.Key, 1)), Fresh: time.Hour, Life: 2 * time.Hour}, nil
	})
	if err != nil {
		fmt.Println("failed:", err)
		return nil
	}
	if err := checkWhole(request.Key, l.Secret.Reveal()); err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}

// loadKeys returns the keys that loadChild uses.
func loadKeys() []Key {
	var keys []Key
	for i := range 4 {
		keys = append(keys, keyOf(fmt.Sprint("load ", i)))
	}
	return keys
}

// loadChild reads and writes until it is killed.
func loadChild(dir string) error {
	s, err := openChild(dir)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for keys := loadKeys(); ; {
		if err := loadOnce(s, keys[rand.IntN(len(keys))]); err != nil {
			return err
		}
	}
}

// loadOnce pulls a token. A new token is fresh for at most 1 ms.
func loadOnce(s *Store, key Key) error {
	l, err := s.Acquire(context.Background(), Request{Key: key}, func(context.Context) (Token, error) {
		switch rand.IntN(20) {
		case 0:
			return Token{}, errCallers
		case 1:
			return Token{}, errUnavailable
		}
		return Token{Secret: secret.New(wholeToken(key, rand.IntN(1<<20))), Fresh: time.Duration(rand.IntN(2)) * time.Millisecond, Life: time.Hour}, nil
	})
	var remembered *RememberedError
	switch {
	case errors.Is(err, errCallers), errors.Is(err, errUnavailable), errors.As(err, &remembered):
		return nil
	case err != nil:
		return err
	}
	return checkWhole(key, l.Secret.Reveal())
}
