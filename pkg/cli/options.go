package cli

import (
	"errors"
	"flag"
	"io/fs"
	"os"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// configVariable names the configuration in the environment.
const configVariable = "ECR_CROSS_ACCOUNT_CONFIG"

// options are the flags.
type options struct {
	config string
	roles  []config.RoleFlag
	own    registry.Account // of explain
}

// register defines the flags of a command; those of all are "".
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
	if command != "explain" {
		return
	}
	flags.Func("own", "the node's own `ACCOUNT`, for explain", func(s string) (err error) {
		o.own, err = registry.ParseAccount(s)
		return err
	})
}

// load reads the configuration that the options name, or what stands in for
// it. Its errors are of the configuration: status 2.
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

// file is the configuration's path, empty if there is none. One that was named
// must be there; config.Load says so if it is not.
func (o options) file(p Process) (string, error) {
	if o.config != "" {
		return o.config, nil
	}
	if named := p.Getenv(configVariable); named != "" {
		return named, nil
	}
	switch _, err := os.Stat(p.DefaultConfig); {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	}
	return p.DefaultConfig, nil
}
