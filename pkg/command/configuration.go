package command

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ecr-cross-account-credential-provider/pkg/config"
)

// ConfigVariable is the environment variable that names the configuration.
const ConfigVariable = "ECR_CROSS_ACCOUNT_CONFIG"

// Configuration is the configuration that the flags name.
type Configuration struct {
	// Path is the value of --config. It is empty if the flag is not given.
	Path string
	// Roles are the values of --role.
	Roles []config.RoleFlag
}

// Register defines --config and --role.
func (o *Configuration) Register(flags *flag.FlagSet) {
	o.RegisterFile(flags)
	flags.Func("role", "a role to assume, `ACCOUNT=ROLE_ARN`", func(s string) error {
		o.Roles = append(o.Roles, config.RoleFlag(s))
		return nil
	})
}

// RegisterFile defines --config.
func (o *Configuration) RegisterFile(flags *flag.FlagSet) {
	flags.Func("config", "the configuration's `FILE`", func(s string) error {
		if s == "" {
			return errors.New("names no file")
		}
		o.Path = s
		return nil
	})
}

// ParseArgs reads --config and --role from the arguments with which a kubelet starts the
// plugin. The flags may stand before and after the command's name.
func (o *Configuration) ParseArgs(args []string) error {
	flags := newFlags("args")
	o.Register(flags)
	_, err := parse(flags, args)
	return err
}

// Load reads the configuration that the flags name, or the default. Its errors have
// the status Misused.
func (o Configuration) Load(p Process) (config.Config, error) {
	file, err := o.File(p)
	if err != nil {
		return config.Config{}, err
	}
	c, err := config.Load(file, o.Roles)
	if err == nil {
		c, err = c.WithStockRole(p.Getenv(config.StockRoleVariable))
	}
	if err != nil {
		return config.Config{}, &ExitError{Misused, err}
	}
	return c, nil
}

// File returns the configuration's path, or "" if there is none. It does not check
// that a named file exists: config.Load does.
func (o Configuration) File(p Process) (string, error) {
	if o.Path != "" {
		return o.Path, nil
	}
	if named := p.Getenv(ConfigVariable); named != "" {
		return named, nil
	}
	there, err := exists(p.DefaultConfig)
	switch {
	case err != nil:
		return "", &ExitError{Misused, err}
	case !there:
		return "", nil
	}
	return p.DefaultConfig, nil
}

// exists reports whether anything is at path. A symbolic link with a missing target
// counts. If a parent of path is such a link, exists returns an error, because the
// target may not be mounted yet.
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
