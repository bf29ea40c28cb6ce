package identity

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// The SDK reads the endpoints from the process's environment, so all tests share
// one fake AWS. A test that counts calls needs exclusive use of it; see alone.
var (
	world *fakeaws.World
	fake  *fakeaws.Server
	inUse sync.Mutex
)

func TestMain(m *testing.M) { os.Exit(withAWS(m)) }

func withAWS(m *testing.M) int {
	world = fakeaws.ExampleWorld()
	world.TrustEverybody()
	var err error
	if fake, err = fakeaws.Start(world, fakeaws.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer fake.Close() //nolint:errcheck // the tests are over
	if err := fake.Setenv(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// alone gives a test exclusive use of the fake AWS.
func alone(t *testing.T) {
	t.Helper()
	inUse.Lock()
	fake.Forget()
	t.Cleanup(func() {
		fake.Mend(fakeaws.STS)
		fake.Mend(fakeaws.IMDS)
		inUse.Unlock()
	})
}

// newChain returns a chain for a node that has not called AWS yet.
func newChain(t *testing.T) Chain {
	t.Helper()
	api, err := awsapi.Load(t.Context(), awsapi.Options{Timeouts: awsapi.DefaultTimeouts().Patient(time.Minute), Now: time.Now, Random: func() float64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	return Chain{API: api, Node: NewNode(api, "host-1"), Registry: "444455556666.dkr.ecr.eu-west-1.amazonaws.com", Entry: "registries[0]"}
}
