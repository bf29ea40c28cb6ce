//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestBench runs each row once. In a second run, this plugin also takes the place of
// the stock one. Each answer is checked as in a measurement.
func TestBench(t *testing.T) {
	t.Parallel()
	// In the place of the stock plugin it has no configuration. Its default cache is
	// then this directory.
	plugin, cache := filepath.Join(t.TempDir(), "plugin"), filepath.Join(t.TempDir(), "cache")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-X main.patience=1m -X main.journal= -X main.cacheDirectory="+cache,
		"-o", plugin, "ecr-cross-account-credential-provider/cmd/ecr-cross-account-credential-provider")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for _, o := range []options{
		{plugin: plugin, scratch: t.TempDir(), runs: 1, roundTrips: []time.Duration{0}},
		{plugin: plugin, scratch: t.TempDir(), baseline: plugin, runs: 2, roundTrips: []time.Duration{time.Millisecond}, rows: coldOwn},
	} {
		var output bytes.Buffer
		if err := run(&output, o); err != nil {
			t.Fatal(err)
		}
		if wanted := "| this plugin |"; !strings.Contains(output.String(), wanted) {
			t.Errorf("want %s in:\n%s", wanted, output.String())
		}
	}
	if _, err := os.Stat(cache); err != nil {
		t.Errorf("the plugin did not use the cache of the test: %v", err)
	}
}

// TestVerify: verifyAnswer accepts only a token for the registry and the right role.
func TestVerify(t *testing.T) {
	t.Parallel()
	aws, err := startAWS(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = aws.Close() })
	for _, answer := range []string{
		"", "{}",
		`{"cacheDuration":"1h","auth":{"` + fakeaws.FirstAccount + `.dkr.ecr.eu-west-1.amazonaws.com":{"username":"AWS","password":"made up"}}}`,
	} {
		if err := verifyAnswer(aws, rows[1], []byte(answer)); err == nil {
			t.Errorf("verifyAnswer accepts %q, want an error", answer)
		}
	}
}

// TestDistant: data and the end of a stream arrive at the other end, in both
// directions, after the delay.
func TestDistant(t *testing.T) {
	t.Parallel()
	echo, socket, err := listenEcho()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	const roundTrip = 20 * time.Millisecond
	url, relay, err := distant("http://"+echo, roundTrip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = relay.Close() })
	begin := time.Now()
	if got, err := ask(strings.TrimPrefix(url, "http://"), "hello\n"); err != nil || got != "hello\n" {
		t.Errorf("got %q, %v, want the line back", got, err)
	}
	if took := time.Since(begin); took < 2*roundTrip {
		t.Errorf("connecting and one answer took %s, less than two round trips", took)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	values := []int64{5, 1, 4, 2, 3, 6, 9, 8, 7, 10}
	for share, want := range map[float64]int64{0: 1, 0.5: 6, 0.9: 10, 1: 10} {
		if got := quantile(values, share); got != want {
			t.Errorf("quantile(%v) = %d, want %d", share, got, want)
		}
	}
	if got := quantile([]int64(nil), 0.5); got != 0 {
		t.Errorf("quantile of no values = %d, want 0", got)
	}
}

// TestGoals: the output has the goals as ratios and as round trips.
func TestGoals(t *testing.T) {
	t.Parallel()
	took := func(name, of string, ms time.Duration) *result {
		return &result{
			row: row{name: name}, roundTrip: 20 * time.Millisecond, program: program{name: of},
			samples: []sample{{wall: ms * time.Millisecond, cpu: time.Millisecond}},
		}
	}
	var w strings.Builder
	printGoals(&w, []*result{
		took(coldOwn, "this plugin", 60), took(coldOwn, "stock plugin", 80), took(coldOther, "this plugin", 100),
	})
	for _, want := range []string{"0.75 × (p10 0.75 ×, CPU 1.00 ×)", "+20.0 ms = +1.00 round trips (p10 +20.0 ms"} {
		if !strings.Contains(w.String(), want) {
			t.Errorf("want %q in:\n%s", want, w.String())
		}
	}
}

// listenEcho starts a server that sends back the first line of each connection, and
// returns its address.
func listenEcho() (string, io.Closer, error) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	go func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			_, _ = io.WriteString(conn, line)
			_ = conn.Close()
		}
	}()
	return socket.Addr().String(), socket, nil
}

func ask(address, text string) (string, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // the other end closes it
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}
