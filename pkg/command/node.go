package command

import (
	"cmp"
	"path/filepath"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/trace"
)

// CacheDirectory returns the directory of the cache. Empty means no cache.
func (p Process) CacheDirectory(c config.Config) string {
	directory := p.DefaultCache
	if c.Cache.Named {
		directory = c.Cache.Directory
	}
	if directory == "" {
		return ""
	}
	return filepath.Clean(directory) // with a final slash, Lstat would follow a link
}

// OpenCache opens the shared cache. Without it every request calls AWS, which is
// slower but also works. warn receives the cache's problems.
func (p Process) OpenCache(c config.Config, warn func(string)) *cache.Store {
	directory := p.CacheDirectory(c)
	if directory == "" {
		return nil
	}
	store, err := cache.Open(directory, p.CacheOptions(warn))
	if err != nil {
		warn(err.Error())
		return nil
	}
	return store
}

// CacheOptions returns what a cache needs from the process.
func (p Process) CacheOptions(warn func(string)) cache.Options {
	return cache.Options{Now: p.Now, Boot: p.Boot, Random: p.Random, Warn: warn}
}

// AWS returns the options for reaching AWS from a configuration.
func (p Process) AWS(c config.Config, t *trace.Trace) awsapi.Options {
	return awsapi.Options{
		Timeouts:     cmp.Or(p.Timeouts, awsapi.DefaultTimeouts()),
		Now:          p.Now,
		Random:       p.Random,
		ECREndpoints: c.Endpoints.ECR,
		STSEndpoints: c.Endpoints.STS,
		STSRegion:    c.STSRegion.Fixed,
		Profile:      c.Node.Profile,
		ConfigFile:   c.Node.ConfigFile,
		Environ:      p.Environ(),
		Trace:        t,
	}
}
