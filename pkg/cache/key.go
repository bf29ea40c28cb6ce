package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Key is what an entry is found by: a hash of everything that decides who may
// have its token. NewKey makes it.
type Key struct{ sum [sha256.Size]byte }

// NewKey hashes parts, each with its length, so that no two lists of parts run
// into one.
func NewKey(parts ...string) Key {
	h := sha256.New()
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	var k Key
	h.Sum(k.sum[:0])
	return k
}

// String is the key in hexadecimal digits, which is its file's name, too.
func (k Key) String() string { return hex.EncodeToString(k.sum[:]) }

// parseKey takes a key as String writes it, and in no other spelling.
func parseKey(s string) (Key, bool) {
	var k Key
	if len(s) != hex.EncodedLen(len(k.sum)) {
		return Key{}, false
	}
	if _, err := hex.Decode(k.sum[:], []byte(s)); err != nil || k.String() != s {
		return Key{}, false
	}
	return k, true
}
