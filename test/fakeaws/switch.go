package fakeaws

import "errors"

// Break turns a fault on, and replaces an active one.
func (s *Server) Break(service Service, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setSocket(service, f.Kind)
	s.faults[service] = &f
	s.change()
}

// setSocket opens or shuts a service's socket, if the old or the new fault is a fault
// of sockets. The caller holds the lock. Close returns the errors.
func (s *Server) setSocket(service Service, kind FaultKind) {
	before := s.faults[service]
	if kind.ofSockets() || before != nil && before.Kind.ofSockets() {
		s.trouble = errors.Join(s.trouble, s.sockets[service].set(kind))
	}
}

// changes returns a channel that is closed when a fault is turned on or off.
func (s *Server) changes() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Mend turns the fault off.
func (s *Server) Mend(service Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setSocket(service, "")
	delete(s.faults, service)
	s.change()
}

// connectionFault returns the active fault of connections.
func (s *Server) connectionFault(service Service) (Fault, bool) {
	return s.takeFault(service, func(f *Fault) bool { return f.Kind.ofConnections() })
}

// waitWhileHung waits until HangAccept is off. It reports false if the server ends
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

// change notifies waiting goroutines. The caller holds the lock.
func (s *Server) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// takeFault returns the fault for a request or connection. It decrements the fault's
// Times, and ends the fault when Times reaches 0.
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
