package provider_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// The SDK reads the endpoints from the process's environment, so all tests share one
// AWS. A test that counts calls uses it alone.
var (
	world  *fakeaws.World
	aws    *fakeaws.Server
	issuer *fakeaws.Issuer
	inUse  sync.Mutex
)

func TestMain(m *testing.M) { os.Exit(withAWS(m)) }

func withAWS(m *testing.M) int {
	world = fakeaws.ExampleWorld()
	world.TrustEverybody()
	var err error
	if issuer, err = fakeaws.NewIssuer("https://oidc.example.com/cluster"); err == nil {
		world.TrustIssuer(issuer)
		aws, err = fakeaws.Start(world, fakeaws.Options{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer aws.Close() //nolint:errcheck // the tests are over
	if err := aws.Setenv(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	profiles, err := writeProfiles()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.Remove(profiles) //nolint:errcheck // a temporary file
	_ = os.Setenv("AWS_CONFIG_FILE", profiles)
	return m.Run()
}

// writeProfiles writes two profiles that differ in the node's region.
func writeProfiles() (string, error) {
	file, err := os.CreateTemp("", "profiles")
	if err != nil {
		return "", err
	}
	_, err = file.WriteString("[profile north]\nregion = eu-north-1\n[profile south]\nregion = ap-southeast-2\n")
	return file.Name(), errors.Join(err, file.Close())
}

// alone gives a test exclusive use of the fake AWS, without the calls, faults and skew
// of other tests.
func alone(t *testing.T) {
	t.Helper()
	inUse.Lock()
	aws.Forget()
	t.Cleanup(func() {
		for _, service := range []fakeaws.Service{fakeaws.IMDS, fakeaws.STS, fakeaws.ECR, fakeaws.ECRPublic} {
			aws.Mend(service)
		}
		world.SetSkew(0)
		inUse.Unlock()
	})
}

const head = "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"

func load(t *testing.T, text string) (config.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(head+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(file, nil)
}

// mustLoad loads a configuration, which must have no problems.
func mustLoad(t *testing.T, text string) config.Config {
	t.Helper()
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// clock is a clock that a test sets.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// noBoot stands for a system without a boot clock. With it, the cache believes the
// test's clock.
var noBoot = cache.Boot{ID: func() string { return "" }, Uptime: func() time.Duration { return 0 }}

// newStore opens a cache for one test.
func newStore(t *testing.T, now func() time.Time) *cache.Store {
	t.Helper()
	store, err := cache.Open(filepath.Join(t.TempDir(), "cache"), cache.Options{
		Now: now, Boot: noBoot, Random: func() float64 { return 0.5 }, Warn: func(text string) { t.Errorf("the cache warns: %s", text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// serve serves a request like a new process of the plugin.
func serve(t *testing.T, c config.Config, store *cache.Store, now func() time.Time, request kubelet.Request) provider.Outcome {
	t.Helper()
	p := provider.Provider{
		Config: c,
		AWS: awsapi.Options{
			Timeouts: awsapi.DefaultTimeouts().Patient(time.Minute), Now: now, Random: func() float64 { return 0.5 }, Environ: os.Environ(),
			ECREndpoints: c.Endpoints.ECR, STSEndpoints: c.Endpoints.STS, Profile: c.Node.Profile, ConfigFile: c.Node.ConfigFile,
		},
		Cache: store, Hostname: "host-1", Decided: func(provider.Outcome) {},
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return p.Serve(ctx, request)
}

// requestFor makes a request for an image, without a pod.
func requestFor(t *testing.T, image string) kubelet.Request {
	t.Helper()
	return readRequest(t, fmt.Sprintf(`{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":%q}`, image))
}

// podRequest makes a request for an image and a pod of a service account. An empty
// annotation means none.
func podRequest(t *testing.T, image, namespace, name, annotation string) kubelet.Request {
	t.Helper()
	token, err := issuer.Token(namespace, name, fakeaws.Audience, time.Now().Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	annotations := "{}"
	if annotation != "" {
		annotations = fmt.Sprintf(`{"eks.amazonaws.com/ecr-role-arn":%q}`, annotation)
	}
	return readRequest(t, fmt.Sprintf(`{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":%q,"serviceAccountToken":%q,"serviceAccountAnnotations":%s}`,
		image, token, annotations))
}

func readRequest(t *testing.T, text string) kubelet.Request {
	t.Helper()
	request, err := kubelet.ReadRequest(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return request
}
