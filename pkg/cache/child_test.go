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
)

// TestMain makes the test binary a process of the plugin, too, when it is told
// which.
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

// children are what a child process can be. Its cache is in the working
// directory.
var children = map[string]func(dir string) error{
	"pull":      pullChild,
	"hang":      func(dir string) error { return hangChild(dir, 2*time.Second) },
	"hang-long": func(dir string) error { return hangChild(dir, time.Minute) },
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

func start(t *testing.T, name, dir string, change func(*exec.Cmd)) *child {
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
		c.t.Fatalf("the child says %q, %v; want %q", c.out.Text(), c.out.Err(), want)
	}
}

func (c *child) proceed() {
	c.t.Helper()
	_, err := c.in.Write([]byte("\n"))
	must(c.t, err)
}

// ready tells the parent, and waits for it.
func ready() {
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// openChild is the cache as the product opens it.
func openChild(dir string) (*Store, error) {
	return Open(dir, Options{
		Now: time.Now, Random: rand.Float64, Verdict: verdict,
		Warn: func(s string) { fmt.Println("warned:", s) },
	})
}

// password is a token that tells its key, and whether it is whole.
func password(key Key, n int) string {
	body := fmt.Sprintf("%s %d %s", key, n, strings.Repeat("x", 1000+n%3000))
	sum := sha256.Sum256([]byte(body))
	return body + " " + hex.EncodeToString(sum[:])
}

func checkPassword(key Key, password string) error {
	i := strings.LastIndexByte(password, ' ')
	if i < 0 {
		return errors.New("torn")
	}
	sum := sha256.Sum256([]byte(password[:i]))
	switch {
	case password[i+1:] != hex.EncodeToString(sum[:]):
		return errors.New("torn")
	case !strings.HasPrefix(password, key.String()+" "):
		return errors.New("another key's token")
	}
	return nil
}

// pullChild pulls once, and says how that ended and whether it asked.
func pullChild(dir string) error {
	ready()
	s, err := openChild(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	a, err := s.Do(ctx, request, func(context.Context) (Token, error) {
		fmt.Println("asking")
		time.Sleep(200 * time.Millisecond)
		if _, err := os.Stat("refused"); err == nil {
			return Token{}, errRefused
		}
		return Token{Username: "AWS", Password: password(request.Key, 1), Fresh: time.Hour, Life: 2 * time.Hour}, nil
	})
	if err != nil {
		fmt.Println("failed:", err)
		return nil
	}
	if err := checkPassword(request.Key, a.Password); err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}

// hangChild asks, and never gets an answer.
func hangChild(dir string, within time.Duration) error {
	s, err := openChild(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	_, err = s.Do(ctx, request, func(context.Context) (Token, error) {
		fmt.Println("asking")
		select {}
	})
	return err
}

// loadKeys are what load is about.
func loadKeys() []Key {
	var keys []Key
	for i := range 4 {
		keys = append(keys, NewKey("load", fmt.Sprint(i)))
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

// loadOnce pulls something that is hardly ever fresh.
func loadOnce(s *Store, key Key) error {
	a, err := s.Do(context.Background(), Request{Key: key}, func(context.Context) (Token, error) {
		switch rand.IntN(20) {
		case 0:
			return Token{}, errCallers
		case 1:
			return Token{}, errUnavailable
		}
		return Token{Username: "AWS", Password: password(key, rand.IntN(1<<20)), Fresh: time.Duration(rand.IntN(2)) * time.Millisecond, Life: time.Hour}, nil
	})
	var remembered *RememberedError
	switch {
	case errors.Is(err, errCallers), errors.Is(err, errUnavailable), errors.As(err, &remembered):
		return nil
	case err != nil:
		return err
	}
	return checkPassword(key, a.Password)
}
