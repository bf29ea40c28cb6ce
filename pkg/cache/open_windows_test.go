package cache

import "testing"

func TestOpen(t *testing.T) {
	t.Parallel()
	if s, err := Open(t.TempDir(), Options{}); s != nil || err == nil {
		t.Errorf("got %v, %v; want an error", s, err)
	}
}
