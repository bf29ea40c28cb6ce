package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ecr-cross-account-credential-provider/cmd/internal/process"
	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cli"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/operator"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestMain lets the test's binary also run as both programs. They wait for AWS longer
// than a busy machine takes.
func TestMain(m *testing.M) {
	program := func(run func(context.Context, command.Process) int) func() {
		return func() {
			ctx, stop := process.Context()
			defer stop()
			p := process.Current()
			p.Timeouts = awsapi.DefaultTimeouts().Patient(time.Minute)
			os.Exit(run(ctx, p)) //nolint:gocritic // nothing is left to clean up
		}
	}
	testscript.Main(m, map[string]func(){operator.Name: program(operator.Main), cli.Name: program(cli.Main)})
}

// TestScripts runs testdata/script. Each script has its own AWS, the example world,
// and reaches it by AWS's own host names through a proxy. UPDATE_SCRIPTS=1 rewrites
// the expected outputs.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"trust": trustRole,
			"fault": switchFault,
			"token": printToken,
			"mask":  mask,
		},
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

type serverKey struct{}

func serverOf(ts *testscript.TestScript) *fakeaws.Server {
	return ts.Value(serverKey{}).(*fakeaws.Server)
}

const (
	nodeRole = "arn:aws:iam::" + fakeaws.NodeAccount + ":role/node"
	pullRole = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/ecr-pull"
)

func setup(env *testscript.Env) error {
	world := fakeaws.ExampleWorld()
	world.SetRole(role(nodeRole))
	world.Push(fakeaws.Repository{Account: fakeaws.FirstAccount, Region: "eu-west-1", Name: "team-a/app"}, "v1")
	server, err := fakeaws.Start(world, fakeaws.Options{TLS: true, Dir: env.WorkDir})
	if err != nil {
		return err
	}
	env.Defer(func() { _ = server.Close() })
	env.Values[serverKey{}] = server
	env.Vars = append(env.Vars, server.ProxyEnv()...)
	if err := install(env); err != nil {
		return err
	}
	configs, err := filepath.Glob(filepath.Join(env.WorkDir, "*.yaml"))
	if err != nil {
		return err
	}
	for _, path := range configs { // for any umask, with a mode that the plugin accepts
		if err := os.Chmod(path, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// install puts the plugin where a kubelet looks for it.
func install(env *testscript.Env) error {
	directory := filepath.Join(env.WorkDir, "bin")
	if err := os.Mkdir(directory, 0o755); err != nil {
		return err
	}
	for dir := range strings.SplitSeq(env.Getenv("PATH"), string(os.PathListSeparator)) {
		if path := filepath.Join(dir, cli.Name); exists(path) {
			return os.Symlink(path, filepath.Join(directory, cli.Name))
		}
	}
	return errors.New("the plugin is not in PATH")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// role returns a role of the first account that a principal may assume.
func role(principal string) fakeaws.Role {
	return fakeaws.Role{
		ARN: pullRole, Trust: []fakeaws.Trust{{Principal: principal}},
		Pull: []string{"arn:aws:ecr:eu-west-1:" + fakeaws.FirstAccount + ":repository/team-a/*"},
	}
}

// trustRole: trust PRINCIPAL lets only the principal assume the first account's
// role.
func trustRole(ts *testscript.TestScript, _ bool, args []string) {
	serverOf(ts).World.SetRole(role(args[0]))
}

// switchFault: fault SERVICE (off|NAME) sets a fault. NAME is in the table of
// faults.
func switchFault(ts *testscript.TestScript, _ bool, args []string) {
	service := fakeaws.Service(args[0])
	if args[1] == "off" {
		serverOf(ts).Mend(service)
		return
	}
	fault, ok := fakeaws.FaultNamed(args[1])
	if !ok {
		ts.Fatalf("no fault %q", args[1])
	}
	serverOf(ts).Break(service, fault)
}

// printToken: token FILE writes a token of the service account shop/web, and
// registers the cluster with IAM.
func printToken(ts *testscript.TestScript, _ bool, args []string) {
	issuer, err := fakeaws.NewIssuer("https://oidc.example.com/cluster")
	ts.Check(err)
	serverOf(ts).World.TrustIssuer(issuer)
	token, err := issuer.Token("shop", "web", fakeaws.Audience, time.Now().Add(time.Hour))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(token+"\n"), 0o600))
}

var proxyAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// mask: mask FILE writes the last stdout to a file. PROXY stands for the proxy's
// address, and VERSION for the version.
func mask(ts *testscript.TestScript, _ bool, args []string) {
	text := proxyAddress.ReplaceAllString(ts.ReadFile("stdout"), "PROXY")
	text = strings.ReplaceAll(text, process.Current().Version, "VERSION")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
