package counter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Buckets are the upper bounds of the histogram of durations. A request that finds
// a fresh token takes some milliseconds. One that asks AWS usually takes less than a second.
// The kubelet ends the plugin after a minute.
var Buckets = [...]time.Duration{
	5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 20 * time.Second, time.Minute,
}

// Totals are the sums over all requests so far.
type Totals struct {
	// Requests are counted by outcome.
	Requests [outcomes]uint64 `json:"requests"`
	// Took counts a request in the first bucket that is not shorter than it. The last count
	// is for requests that took longer than all Buckets.
	Took [len(Buckets) + 1]uint64 `json:"took"`
	// Micros is the sum of the durations in microseconds.
	Micros uint64 `json:"micros"`
}

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	all := make([]Outcome, outcomes)
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}

// Count returns the number of requests.
func (t Totals) Count() (n uint64) {
	for _, requests := range t.Requests {
		n += requests
	}
	return n
}

func (t *Totals) add(o Outcome, took time.Duration) {
	t.Requests[o]++
	bucket := 0
	for bucket < len(Buckets) && took > Buckets[bucket] {
		bucket++
	}
	t.Took[bucket]++
	t.Micros += uint64(took.Microseconds()) //nolint:gosec // records have no negative durations
}

// addFile adds the records of a file, without those that are damaged. After a
// damaged part it continues with the next good record.
func (t *Totals) addFile(dir *os.Root, name string) (size int, err error) {
	data, err := readFile(dir, name)
	for rest := data; len(rest) >= recordSize; {
		o, took, ok := parse(rest[:recordSize])
		if !ok {
			rest = rest[1:]
			continue
		}
		t.add(o, took)
		rest = rest[recordSize:]
	}
	return len(data), err
}

// readFile reads a file. A missing file counts as empty. A file can be slightly larger
// than the limit, because several processes can write at the same time.
func readFile(dir *os.Root, name string) ([]byte, error) {
	file, err := open(dir, name, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	return io.ReadAll(io.LimitReader(file, 2*most))
}

// Read returns the totals of all requests. If there are many current records, it adds
// the old ones to the file totals. One process does so at a time. Files that cannot be
// read do not count, and the error names them.
func Read(dir *os.Root) (Totals, error) {
	unlock, err := takeLock(dir)
	if err != nil {
		return Totals{}, fmt.Errorf("reading the counters of requests: %w", err)
	}
	defer unlock()
	sum, err := readTotals(dir)
	_, oldErr := sum.addFile(dir, old)
	beforeCurrent := sum
	size, currentErr := sum.addFile(dir, current)
	err = errors.Join(err, oldErr, currentErr)
	if size >= many {
		err = errors.Join(err, beforeCurrent.settle(dir))
	}
	if err != nil {
		return sum, fmt.Errorf("reading the counters of requests: %w", err)
	}
	return sum, nil
}

// settle writes the totals without the current records. Then it renames the current
// file to the old one. If the process ends in between, the old records count again.
func (t Totals) settle(dir *os.Root) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	const temp = totals + ".new"
	if err := dir.RemoveAll(temp); err != nil {
		return err
	}
	if err := dir.WriteFile(temp, data, 0o600); err != nil {
		return err
	}
	if err := dir.Rename(temp, totals); err != nil {
		return err
	}
	return dir.Rename(current, old)
}

// readTotals reads the file totals. Damaged totals start again at zero, as counters
// do at a reboot.
func readTotals(dir *os.Root) (Totals, error) {
	data, err := readFile(dir, totals)
	if err != nil || len(data) == 0 {
		return Totals{}, err
	}
	var t Totals
	if err := json.Unmarshal(data, &t); err != nil {
		return Totals{}, nil //nolint:nilerr // counters may start again
	}
	return t, nil
}
