package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/app"
	"ecr-cross-account-credential-provider/cmd/internal/process"
)

// running is a controller. If start has started it, it runs in this process.
type running struct {
	log    fmt.Stringer
	cancel context.CancelFunc
	status chan int
}

// buffer holds the output of a controller.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start starts a controller.
func (w *world) start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := &buffer{}
	r := &running{log: log, cancel: cancel, status: make(chan int, 1)}
	p := process.Current()
	p.Args, p.Stdout, p.Stderr, p.Random = args, io.Discard, log, func() float64 { return 0.5 }
	go func() { r.status <- app.Main(ctx, p, w.clock) }()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Logf("the controller's log:\n%s", r.log)
		}
		for _, mark := range []string{"SECRETKEY", "SESSIONTOKEN", "ECRTOKEN"} {
			if strings.Contains(r.log.String(), mark) {
				t.Errorf("got a secret in the log (%s…), want none", mark)
			}
		}
	})
	return r
}

// run starts a controller that runs until the test ends.
func (w *world) run(t *testing.T, args ...string) *running {
	t.Helper()
	r := w.start(t, args...)
	t.Cleanup(func() {
		if status := r.stop(); status != 0 {
			t.Errorf("got status %d, want 0", status)
		}
	})
	return r
}

// stop ends the controller and returns its exit status.
func (r *running) stop() int {
	r.cancel()
	status := <-r.status
	r.status <- status // for the next caller
	return status
}

// get returns what the controller serves at a path.
func (r *running) get(ctx context.Context, path string) (int, string, error) {
	var address string
	for line := range strings.Lines(r.log.String()) {
		var entry struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Address != "" {
			address = entry.Address
		}
	}
	if address == "" {
		return 0, "", errors.New("it does not serve yet")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close() //nolint:errcheck // reading is complete
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// metric returns the value of a metric, such as leader or failures_total{class="refused"}.
func (r *running) metric(ctx context.Context, name string) (float64, error) {
	_, body, err := r.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	line := regexp.MustCompile(`(?m)^ecr_pull_secrets_` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(body)
	if line == nil {
		return 0, fmt.Errorf("got no metric %s in:\n%s", name, body)
	}
	return strconv.ParseFloat(line[1], 64)
}

// metricIs waits until a metric's value is as wanted.
func (r *running) metricIs(t *testing.T, name string, want func(float64) bool) {
	t.Helper()
	eventually(t, "metric "+name+" is as wanted", func() error {
		value, err := r.metric(t.Context(), name)
		if err == nil && !want(value) {
			err = fmt.Errorf("got %v", value)
		}
		return err
	})
}

// namespace makes a namespace with the label team=TEAM.
func (c *cluster) namespace(t *testing.T, name, team string) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": team}}}
	if _, err := c.kube.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

// secret returns a namespace's Secret.
func (c *cluster) secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	return c.kube.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
}

// has waits until a namespace's Secret is as wanted, and returns it.
func (c *cluster) has(t *testing.T, namespace, name string, wanted func(*corev1.Secret) error) (s *corev1.Secret) {
	t.Helper()
	eventually(t, "the Secret of "+namespace+" is as wanted", func() (err error) {
		if s, err = c.secret(t.Context(), namespace, name); err != nil {
			return err
		}
		return wanted(s)
	})
	return s
}
