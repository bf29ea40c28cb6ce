package awsapi

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clock is AWS's: the node's, corrected by what AWS's answers say the time is,
// so that a node with a wrong clock neither keeps a dead token nor drops a live
// one.
type clock struct {
	node   func() time.Time
	offset atomic.Int64
}

// skewThreshold is a difference that neither whole seconds nor the answer's way
// explain.
const skewThreshold = 5 * time.Second

func (c *clock) now() time.Time { return c.node().Add(time.Duration(c.offset.Load())) }

// observe takes the time from an answer's Date.
func (c *clock) observe(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	offset := date.Sub(c.node())
	if offset.Abs() < skewThreshold {
		offset = 0
	}
	c.offset.Store(int64(offset))
}
