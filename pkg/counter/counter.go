// Package counter counts requests for all of the plugin's processes on a node, in
// the directory of the cache. Counting takes one short write and no lock, so that
// no request waits for another. A request that cannot be counted still gets its
// response.
//
// # Files
//
//	requests      a record of each request
//	requests.old  the older file, which was named requests before
//	totals        the sum of all older records
//	totals.lock   locked (flock) by the process that reads the counters
//
// When there are many records, requests.old is added to totals, and requests is renamed
// to requests.old. A process that opened the file before the rename still writes to it.
// That file is added to totals much later, so no record is lost. Damaged files count as
// far as they can be read.
package counter

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"time"
)

// Outcome is how a request ended.
type Outcome byte

// These are the outcomes of requests.
const (
	Minted  Outcome = iota // a new token from AWS
	Fresh                  // a token from the cache, as good as a new one
	Stale                  // a token from the cache, because there is no new one
	Refused                // an error: AWS refused
	None                   // a response without credentials
	Failed                 // any other error
	outcomes
)

// String returns the outcome in one word.
func (o Outcome) String() string {
	return [...]string{"minted", "fresh", "stale", "refused", "none", "failed"}[o]
}

const (
	current, old, totals, lock = "requests", "requests.old", "totals", "totals.lock"
	// many is the size at which Read renames requests. most is the size at which Add
	// stops counting, because nothing reads the counters.
	many, most = 64 << 10, 1 << 20
	// A record has a mark, the outcome and the duration in microseconds, and a
	// checksum.
	recordSize = 8
	mark       = 0xC5
)

// Add counts a request.
func Add(dir *os.Root, o Outcome, took time.Duration) error {
	file, err := open(dir, current, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // Write reports errors
	info, err := file.Stat()
	if err != nil || info.Size() >= most {
		return err
	}
	_, err = file.Write(record(o, took)) // one write, so that records of other processes cannot mix with it
	return err
}

// open opens a regular file. A pipe in its place must not block the process.
func open(dir *os.Root, name string, flag int) (*os.File, error) {
	file, err := dir.OpenFile(name, flag|openFlags, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func record(o Outcome, took time.Duration) []byte {
	micros := min(max(0, took.Microseconds()), 1<<32-1)
	r := binary.BigEndian.AppendUint32([]byte{mark, byte(o)}, uint32(micros))
	return binary.BigEndian.AppendUint16(r, checksum(r))
}

// checksum is Fletcher's, which depends on the order of bytes.
func checksum(data []byte) uint16 {
	var a, b uint16 = 1, 0
	for _, c := range data {
		a = (a + uint16(c)) % 255
		b = (b + a) % 255
	}
	return b<<8 | a
}

// parse reads a record.
func parse(r []byte) (o Outcome, took time.Duration, ok bool) {
	o = Outcome(r[1])
	ok = r[0] == mark && o < outcomes && binary.BigEndian.Uint16(r[6:]) == checksum(r[:6])
	return o, time.Duration(binary.BigEndian.Uint32(r[2:])) * time.Microsecond, ok
}
