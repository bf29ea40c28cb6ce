package cli

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// configVariable names the configuration in the environment.
const configVariable = "ECR_CROSS_ACCOUNT_CONFIG"

// options are the flags.
type options struct {
	config string
	roles  []config.RoleFlag
	own    registry.Account // of explain
	json   bool             // of explain: --output json

	anyOwner bool // of validate: --no-permissions
}

// register defines the flags of a command. The empty name stands for the flags of
// all commands.
func (o *options) register(flags *flag.FlagSet, command string) {
	flags.Func("config", "the configuration's `FILE`", func(s string) error {
		if s == "" {
			return errors.New("names no file")
		}
		o.config = s
		return nil
	})
	flags.Func("role", "a role to assume, `ACCOUNT=ROLE_ARN`", func(s string) error {
		o.roles = append(o.roles, config.RoleFlag(s))
		return nil
	})
	switch command {
	case "validate":
		flags.BoolVar(&o.anyOwner, "no-permissions", o.anyOwner, "do not check who may write the file")
	case "explain":
		o.registerExplain(flags)
	}
}

func (o *options) registerExplain(flags *flag.FlagSet) {
	flags.Func("output", "`FORMAT` of the output: text (the default) or json", func(s string) error {
		if s != "text" && s != "json" {
			return fmt.Errorf("%q is not text or json", printable.Short(s))
		}
		o.json = s == "json"
		return nil
	})
	flags.Func("own", "the node's own `ACCOUNT`, for explain", func(s string) (err error) {
		o.own, err = registry.ParseAccount(s)
		return err
	})
}

// load reads the configuration that the options name, or the default. Its errors
// are configuration errors: status 2.
func (o options) load(p Process) (config.Config, error) {
	file, err := o.file(p)
	if err != nil {
		return config.Config{}, &exitError{misused, err}
	}
	c, err := config.Load(file, o.roles)
	if err == nil {
		c, err = c.WithStockRole(p.Getenv(config.StockRoleVariable))
	}
	if err != nil {
		return config.Config{}, &exitError{misused, err}
	}
	return c, nil
}

// file returns the configuration's path; empty if there is none. A file that was
// named must exist; config.Load says so if it does not.
func (o options) file(p Process) (string, error) {
	if o.config != "" {
		return o.config, nil
	}
	if named := p.Getenv(configVariable); named != "" {
		return named, nil
	}
	there, err := exists(p.DefaultConfig)
	if !there {
		return "", err
	}
	return p.DefaultConfig, nil
}

// exists reports whether there is anything at path, even a symbolic link whose
// target is missing. A link that leads nowhere on the way to path is an error: what
// it should lead to may not be mounted yet.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
			continue
		}
		if _, err := os.Stat(dir); err != nil {
			return false, fmt.Errorf("looking for the configuration %s: %w; is its disk mounted?", path, err)
		}
		return false, nil
	}
}
