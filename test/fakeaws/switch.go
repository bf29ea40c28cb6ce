package fakeaws

import "errors"

// Break switches a fault on, in place of the one that was.
func (s *Server) Break(service Service, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setSocket(service, f.Kind)
	s.faults[service] = &f
	s.change()
}

// setSocket opens or shuts a service's socket, if one of two faults is about
// that; the lock is held. What goes wrong with it, Close tells.
func (s *Server) setSocket(service Service, kind FaultKind) {
	before := s.faults[service]
	if kind.ofSockets() || before != nil && before.Kind.ofSockets() {
		s.trouble = errors.Join(s.trouble, s.sockets[service].set(kind))
	}
}

// changes is closed when a fault is switched on or off.
func (s *Server) changes() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Mend switches the fault off.
func (s *Server) Mend(service Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setSocket(service, "")
	delete(s.faults, service)
	s.change()
}

// connectionFault is the fault that a connection meets.
func (s *Server) connectionFault(service Service) (Fault, bool) {
	return s.takeFault(service, func(f *Fault) bool { return f.Kind.ofConnections() })
}

// waitWhileHung waits until HangAccept is off; it is false where the end came
// first.
func (s *Server) waitWhileHung(service Service, end <-chan struct{}) bool {
	for {
		s.mu.Lock()
		f, changed := s.faults[service], s.changed
		s.mu.Unlock()
		if f == nil || f.Kind != HangAccept {
			return true
		}
		s.hanging()
		select {
		case <-changed:
		case <-end:
			return false
		}
	}
}

// change tells those who wait; the lock is held.
func (s *Server) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// takeFault is the fault that a request or connection meets, once less of it
// left.
func (s *Server) takeFault(service Service, fits func(*Fault) bool) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults[service]
	if f == nil || !fits(f) {
		return Fault{}, false
	}
	taken := *f
	if f.Times > 0 {
		if f.Times--; f.Times == 0 {
			delete(s.faults, service)
		}
	}
	return taken, true
}
