package awsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"

	"ecr-cross-account-credential-provider/pkg/boundedfile"
)

// maxFile limits each of the SDK's files. The SDK itself has no limit: it waits for
// the writer of a FIFO, and reads /dev/zero until memory is full. So this package
// checks the files before the SDK opens them.
const maxFile = 1 << 20

// tokenFiles are the variables that name files with tokens.
var tokenFiles = []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}

func fileError(setting string, err error) error {
	return fmt.Errorf("reading the file that %s names: %w", setting, err)
}

// Variable returns the value of an environment variable. If there are several
// values, the last one counts.
func Variable(environ []string, name string) string {
	for _, v := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// sharedFile returns the path of one of the SDK's two files.
func sharedFile(environ []string, name, base string) string {
	if path := Variable(environ, name); path != "" {
		return path
	}
	home := map[bool]string{true: "USERPROFILE", false: "HOME"}[runtime.GOOS == "windows"]
	if directory := Variable(environ, home); directory != "" {
		return filepath.Join(directory, ".aws", base)
	}
	return filepath.Join(filepath.Dir(config.DefaultSharedConfigFilename()), base)
}

const nodeConfigFile = "node.configFile" // the setting in this project's configuration

// file is the path of a file, and the setting that names it.
type file struct{ setting, path string }

// sharedFiles returns the SDK's configuration file and its credentials file. The
// SDK reads the same settings from both.
func (o Options) sharedFiles() []file {
	settings := file{nodeConfigFile, o.ConfigFile}
	if o.ConfigFile == "" {
		settings = file{"AWS_CONFIG_FILE", sharedFile(o.Environ, "AWS_CONFIG_FILE", "config")}
	}
	return []file{settings, {"AWS_SHARED_CREDENTIALS_FILE", sharedFile(o.Environ, "AWS_SHARED_CREDENTIALS_FILE", "credentials")}}
}

// profile returns the name of the profile that the SDK uses.
func (o Options) profile() string {
	return cmp.Or(o.Profile, Variable(o.Environ, "AWS_PROFILE"), Variable(o.Environ, "AWS_DEFAULT_PROFILE"), "default")
}

// checkFiles checks the files that the SDK opens, including those that a profile
// names.
func (o Options) checkFiles(ctx context.Context) error {
	files := o.sharedFiles()
	for _, name := range append(slices.Clone(tokenFiles), "AWS_CA_BUNDLE") {
		files = append(files, file{name, Variable(o.Environ, name)})
	}
	if err := checkAll(files); err != nil {
		return err
	}
	return checkAll(o.profileFiles(ctx))
}

// profileFiles returns the files that the profile names. The SDK parses the
// profile, because the SDK accepts more forms than other parsers do.
func (o Options) profileFiles(ctx context.Context) []file {
	shared := o.sharedFiles()
	profile, err := config.LoadSharedConfigProfile(ctx, o.profile(), func(s *config.LoadSharedConfigOptions) {
		s.ConfigFiles, s.CredentialsFiles = []string{shared[0].path}, []string{shared[1].path}
	})
	if err != nil {
		return nil // the SDK reports it when it loads the whole configuration
	}
	files := []file{{"ca_bundle of profile " + profile.Profile, profile.CustomCABundle}}
	for p := &profile; p != nil; p = p.Source {
		files = append(files, file{"web_identity_token_file of profile " + p.Profile, p.WebIdentityTokenFile})
	}
	return files
}

func checkAll(files []file) error {
	for _, f := range files {
		_, err := boundedfile.Read(f.path, maxFile)
		switch absent := errors.Is(err, fs.ErrNotExist); {
		case f.path == "" || err == nil:
		case absent && f.setting == "AWS_CA_BUNDLE":
			return fmt.Errorf("AWS_CA_BUNDLE names %s, which does not exist; write the certificates of the CAs there, or remove the variable from the provider's env", f.path)
		case !absent || f.setting == nodeConfigFile:
			return fileError(f.setting, err)
		}
	}
	return nil
}
