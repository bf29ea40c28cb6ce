package cache

import (
	"fmt"
	"time"
)

// Fact is something that was found out about the node and is no secret, if the
// cache has it.
func (s *Store) Fact(key Key) (string, bool) {
	if s == nil {
		return "", false
	}
	r, err := s.read(key)
	if err != nil {
		s.o.Warn(fmt.Sprintf("what the cache has noted of the node is not used: %s", err))
	}
	if r == nil || r.Fact == nil || !s.o.Now().Before(r.Fact.Until) {
		return "", false
	}
	return r.Fact.Value, true
}

// SetFact notes a fact for a time.
func (s *Store) SetFact(key Key, value string, life time.Duration) {
	if s == nil {
		return
	}
	now := s.o.Now().Round(0)
	if err := s.write(key, &record{Learned: now, Fact: &fact{value, now.Add(life)}}); err != nil {
		s.o.Warn(fmt.Sprintf("what was found out about the node is not written to the cache: %s", err))
	}
}
