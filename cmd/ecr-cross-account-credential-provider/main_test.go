package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/cli"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TEST_CACHE and TEST_JOURNAL name the cache and the journal of the tests' plugin.
// Its clock is ahead of the machine's by TEST_CLOCK_AHEAD. TEST_PATIENCE limits
// each part of a call to AWS, and must be longer than a busy machine takes.
func init() {
	cacheDirectory, journal, patience = os.Getenv("TEST_CACHE"), os.Getenv("TEST_JOURNAL"), os.Getenv("TEST_PATIENCE")
	if ahead, err := time.ParseDuration(os.Getenv("TEST_CLOCK_AHEAD")); err == nil {
		now = func() time.Time { return time.Now().Add(ahead) }
		boot = cache.Boot{ID: func() string { return "" }, Uptime: func() time.Duration { return 0 }} // no boot clock: moving the clock counts as time that passes
	}
}

// TestMain lets the test's binary also run as the plugin, under its own name and
// the stock plugin's.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		cli.Name:                  main,
		"ecr-credential-provider": main,
	})
}

// TestScripts runs testdata/script. Each script has its own AWS, the example world, and
// reaches it by the endpoints in its environment. UPDATE_SCRIPTS=1 rewrites the expected
// outputs.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"request": writeRequest,
			"answer":  readAnswer,
			"calls":   listCalls,
			"fault":   switchFault,
			"deny":    denyToken,
			"pod":     writePodRequest,
			"trust":   trustRole,
			"issue":   issueCredentials,
			"token":   printToken,
		},
		Condition:           condition,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// condition reports for plugin:OS whether the plugin is built for the system OS. This
// may differ from the tests' system: see test/platforms/run.
func condition(name string) (bool, error) {
	system, ok := strings.CutPrefix(name, "plugin:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return system == cmp.Or(os.Getenv("TEST_PROGRAMS_OS"), runtime.GOOS), nil
}

type serverKey struct{}

func setup(env *testscript.Env) error {
	world := fakeaws.ExampleWorld()
	issuer, err := cluster()
	if err != nil {
		return err
	}
	world.TrustIssuer(issuer)
	server, err := fakeaws.Start(world, fakeaws.Options{})
	if err != nil {
		return err
	}
	env.Defer(func() { _ = server.Close() })
	env.Values[serverKey{}] = server
	env.Vars = append(append(env.Vars, "TEST_PATIENCE=1m"), server.Env()...)
	if programs := os.Getenv("TEST_PROGRAMS"); programs != "" {
		env.Setenv("PATH", programs+string(os.PathListSeparator)+env.Getenv("PATH"))
	}
	return prepareFiles(env.WorkDir)
}

// prepareFiles writes the directory's path into configurations. For any umask, it
// sets a mode that the plugin accepts.
func prepareFiles(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, "-config") || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "$WORK", dir)), 0o600); err != nil {
			return err
		}
		return os.Chmod(path, 0o644)
	})
}

func serverOf(ts *testscript.TestScript) *fakeaws.Server {
	return ts.Value(serverKey{}).(*fakeaws.Server)
}

// writeRequest: request IMAGE [VERSION] writes a kubelet's request to a file.
func writeRequest(ts *testscript.TestScript, _ bool, args []string) {
	version := "v1"
	if len(args) > 1 {
		version = args[1]
	}
	request := fmt.Sprintf(`{"apiVersion":"credentialprovider.kubelet.k8s.io/%s","kind":"CredentialProviderRequest","image":%q}`, version, args[0])
	ts.Check(os.WriteFile(ts.MkAbs("request"), []byte(request), 0o600))
}

// cluster signs service accounts' tokens.
var cluster = sync.OnceValues(func() (*fakeaws.Issuer, error) { return fakeaws.NewIssuer("https://oidc.example.com/cluster") })

// writePodRequest: pod IMAGE TOKEN [KEY=VALUE]... writes a kubelet's request for a
// pod with a service account. TOKEN is NAMESPACE/NAME, or file:NAME for the content
// of a file. With the prefix "expired:" the token is expired. With "vault:" it has
// another audience. The other arguments are annotations.
func writePodRequest(ts *testscript.TestScript, _ bool, args []string) {
	token := serviceAccountToken(ts, args[1])
	annotations := map[string]string{}
	for _, a := range args[2:] {
		key, value, _ := strings.Cut(a, "=")
		annotations[key] = value
	}
	request, err := json.Marshal(map[string]any{
		"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest",
		"image": args[0], "serviceAccountToken": token, "serviceAccountAnnotations": annotations,
	})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("request"), request, 0o600))
}

func serviceAccountToken(ts *testscript.TestScript, what string) string {
	if file, ok := strings.CutPrefix(what, "file:"); ok {
		return strings.TrimSpace(ts.ReadFile(file))
	}
	issuer, err := cluster()
	ts.Check(err)
	audience, life := fakeaws.Audience, time.Hour
	if rest, ok := strings.CutPrefix(what, "expired:"); ok {
		what, life = rest, -time.Minute
	}
	if rest, ok := strings.CutPrefix(what, "vault:"); ok {
		what, audience = rest, "vault.example.com"
	}
	namespace, name, _ := strings.Cut(what, "/")
	token, err := issuer.Token(namespace, name, audience, time.Now().Add(life))
	ts.Check(err)
	return token
}

// issueCredentials: issue prints credentials of the node's role, like a
// credential_process.
func issueCredentials(ts *testscript.TestScript, _ bool, _ []string) {
	c := serverOf(ts).World.Issue("arn:aws:iam::"+fakeaws.NodeAccount+":role/node", "hybrid", time.Hour)
	ts.Check(json.NewEncoder(ts.Stdout()).Encode(map[string]any{
		"Version": 1, "AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey,
		"SessionToken": c.SessionToken, "Expiration": c.Expires.UTC().Format(time.RFC3339),
	}))
}

// printToken: token TOKEN prints a service account's token; see pod.
func printToken(ts *testscript.TestScript, _ bool, args []string) {
	fmt.Fprintln(ts.Stdout(), serviceAccountToken(ts, args[0]))
}

// trustRole: trust ROLE_ARN PRINCIPAL [tags] adds a role that the principal may
// assume.
func trustRole(ts *testscript.TestScript, _ bool, args []string) {
	serverOf(ts).World.SetRole(fakeaws.Role{ARN: args[0], Trust: []fakeaws.Trust{{Principal: args[1], TagSession: len(args) > 2}}})
}

// readAnswer prints the answer on stdout in words: whose token it is, and how long
// it may be kept. The time is in tens of minutes, because up to 5 minutes are
// random, and the test itself takes seconds.
func readAnswer(ts *testscript.TestScript, _ bool, _ []string) {
	var answer struct {
		APIVersion, Kind, CacheKeyType, CacheDuration string
		Auth                                          map[string]struct{ Username, Password string }
	}
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	decoder.DisallowUnknownFields()
	ts.Check(decoder.Decode(&answer))
	duration, err := time.ParseDuration(answer.CacheDuration)
	ts.Check(err)
	out := ts.Stdout()
	fmt.Fprintf(out, "%s %s %s, about %s\n", answer.APIVersion, answer.Kind, answer.CacheKeyType, (duration + time.Minute).Round(10*time.Minute))
	for key, auth := range answer.Auth {
		grant, err := serverOf(ts).World.ReadToken(auth.Password)
		ts.Check(err)
		fmt.Fprintf(out, "%s: %s, region %s, %s\n", key, auth.Username, grant.Region, grant.Principal)
	}
}

// listCalls: calls [SERVICE...] prints the calls so far, and forgets them.
func listCalls(ts *testscript.TestScript, _ bool, args []string) {
	var services []fakeaws.Service
	for _, a := range args {
		services = append(services, fakeaws.Service(a))
	}
	calls := serverOf(ts).Calls(services...)
	if len(calls) == 0 {
		fmt.Fprintln(ts.Stdout(), "none")
	}
	for _, call := range calls {
		fmt.Fprintln(ts.Stdout(), call)
	}
	serverOf(ts).Forget()
}

// switchFault: fault SERVICE (off|answer BODY|NAME) sets a fault. NAME is in the
// table of faults.
func switchFault(ts *testscript.TestScript, _ bool, args []string) {
	service := fakeaws.Service(args[0])
	switch what := args[1]; what {
	case "off":
		serverOf(ts).Mend(service)
	case "answer":
		serverOf(ts).Break(service, fakeaws.Fault{Kind: fakeaws.Answer, Body: args[2]})
	default:
		fault, ok := fakeaws.FaultNamed(what)
		if !ok {
			ts.Fatalf("no fault %q", what)
		}
		serverOf(ts).Break(service, fault)
	}
}

// denyToken: deny ROLE_ARN TRUSTED adds a role that TRUSTED may assume. The role may
// not request a token.
func denyToken(ts *testscript.TestScript, _ bool, args []string) {
	serverOf(ts).World.SetRole(fakeaws.Role{ARN: args[0], Trust: []fakeaws.Trust{{Principal: args[1]}}, DenyToken: true})
}
