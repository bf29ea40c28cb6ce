package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/secret"
)

const (
	// version begins each entry's file. It must change when an older program would
	// misunderstand the new format.
	version = "cache-entry/3"
	// maxFile limits the size of an entry's file. ECR's tokens are 2 to 4 KiB long.
	maxFile = 64 << 10
	// skew is how far in the future an entry's time may be, because clocks are
	// sometimes set back a little.
	skew = time.Minute
)

var errDamaged = errors.New("it is damaged, or another version of the plugin wrote it")

// encode returns an entry's file: a line with the version and a checksum, a line of
// JSON, and the secret. The secret is outside the JSON because JSON is slow to
// read.
func (e entry) encode(now instant) ([]byte, error) {
	e.Uptime, e.Boot = now.uptime, now.boot()
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	body = append(body, '\n')
	if e.Token != nil {
		body = append(body, e.Token.Secret.Reveal()...)
	}
	data := append(header(e.Key, body), body...)
	if len(data) > maxFile {
		return nil, fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	return data, nil
}

// header returns the first line. The checksum covers the key, so a file with
// another key's name is not accepted.
func header(key Key, body []byte) []byte {
	h := sha256.New()
	h.Write(key[:])
	h.Write(body)
	return fmt.Appendf(nil, "%s %x\n", version, h.Sum(nil))
}

// decode reads an entry's file. It adjusts the times if the clock was set since the
// entry was written. Errors quote nothing from the file.
func decode(data []byte, key Key, now instant) (entry, error) {
	_, body, _ := bytes.Cut(data, []byte("\n"))
	if !bytes.Equal(data[:len(data)-len(body)], header(key, body)) {
		return entry{}, errDamaged
	}
	e := entry{Request: Request{Key: key}}
	line, token, _ := bytes.Cut(body, []byte("\n"))
	if err := json.Unmarshal(line, &e); err != nil {
		return entry{}, errDamaged
	}
	if e.Token != nil {
		e.Token.Secret = secret.New(string(token))
	}
	step := instant{e.Learned, e.Uptime, func() string { return e.Boot }}.stepped(now)
	e.Learned, e.Minted = e.Learned.Add(step), e.Minted.Add(step)
	if !e.Requested.IsZero() {
		e.Requested = e.Requested.Add(step)
	}
	if latest := now.wall.Add(skew); e.Learned.After(latest) || e.Minted.After(latest) {
		return entry{}, errors.New("it is from the future: the node's clock was set back")
	}
	return e, nil
}
