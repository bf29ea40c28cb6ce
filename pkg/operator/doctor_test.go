package operator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
)

// TestLoadFor: doctor reads the plugin's configuration below the root directory of the
// kubelet's process. The configuration's path is in the entry's arguments or in the
// environment, or it is the default path.
func TestLoadFor(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, account string) string {
		t.Helper()
		path := filepath.Join(root, name)
		text := "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries:\n- accounts: [\"" + account + "\"]\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const byArgs, byEnv, byDefault, byFlag = "444455556661", "444455556662", "444455556663", "444455556664"
	write("args.yaml", byArgs)
	write("env.yaml", byEnv)
	write("default.yaml", byDefault)
	flagged := write("flag.yaml", byFlag)
	const role = "444455556665=arn:aws:iam::444455556665:role/ecr-pull"
	for name, test := range map[string]struct {
		conf    command.Configuration
		args    []string
		env     string
		want    string // accounts, joined by spaces
		wantErr string
	}{
		"the entry's arguments":  {args: []string{"--config=/args.yaml", "get-credentials"}, env: "/env.yaml", want: byArgs},
		"after the command":      {args: []string{"get-credentials", "--config", "/args.yaml"}, env: "/env.yaml", want: byArgs},
		"in two words":           {args: []string{"--config", "/args.yaml"}, want: byArgs},
		"a role beside the file": {args: []string{"--role", role, "--config=/args.yaml"}, want: byArgs + " 444455556665"},
		"the environment":        {args: []string{"get-credentials"}, env: "/env.yaml", want: byEnv},
		"the default":            {want: byDefault},
		"doctor's own --config":  {conf: command.Configuration{Path: flagged}, args: []string{"--config=/args.yaml"}, want: byFlag},
		"doctor's own --role":    {conf: command.Configuration{Roles: []config.RoleFlag{role}}, args: []string{"--config=/args.yaml"}, want: "444455556665"},
		"no such file":           {args: []string{"--config=/none.yaml"}, wantErr: "none.yaml"},
		"no such flag":           {args: []string{"--conf=/args.yaml"}, wantErr: "the args of the plugin's entry: flag provided but not defined: -conf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := command.Process{DefaultConfig: "/default.yaml", Getenv: func(name string) string {
				if name == command.ConfigVariable {
					return test.env
				}
				return ""
			}}
			if len(test.conf.Roles) > 0 { // with --role, the default is doctor's own file
				p.DefaultConfig = filepath.Join(root, "none.yaml")
			}
			c, err := loadFor(test.conf, p, test.args, root)
			if test.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantErr) {
					t.Errorf("got %v; want %s", err, test.wantErr)
				}
				return
			}
			var accounts []string
			for _, entry := range c.Rules.Entries() {
				for _, account := range entry.Accounts.Named {
					accounts = append(accounts, account.String())
				}
			}
			if got := strings.Join(accounts, " "); got != test.want || err != nil {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
		})
	}
}
