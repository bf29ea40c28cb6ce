package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
)

// TestCacheOfAnotherUser: a user who may not open the cache's directory learns nothing
// about the cache.
func TestCacheOfAnotherUser(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "cache")
	if err := os.Mkdir(directory, 0); err != nil {
		t.Fatal(err)
	}
	err := fmt.Errorf("the cache is off: %w; correct that", &fs.PathError{Op: "open", Path: directory, Err: fs.ErrPermission})
	if os.Geteuid() != 0 { // root may open every directory
		_, err = listCache(directory, cache.Options{})
	}
	if f := noCache(directory, err); f.Result != diagnosis.Skipped || f.Detail != directory+" belongs to the plugin's user; run doctor as root" {
		t.Errorf("%v: got %s (%s), want a check that needs root", err, f.Result, f.Detail)
	}
}
