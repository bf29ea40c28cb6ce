package main

import (
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	systemdDir    = nodeDir + "/systemd" // programs in place of systemd's; first in the tool's PATH
	systemdSocket = nodeDir + "/systemd.socket"
	unitsDir      = "/etc/systemd/system"
	kubeletUnit   = "kubelet"
	// restartDelay is the default of RestartSec=.
	restartDelay = 100 * time.Millisecond
	// startLimit is StartLimitBurst=. StartLimitIntervalSec= is longer than a case.
	startLimit = 3
	// killDelay is the default of TimeoutStopSec=.
	killDelay = 90 * time.Second
)

// systemd stands in for systemd. It runs the kubelet, and starts it again after its end
// (Restart=always). The programs systemctl and journalctl control it through a socket.
// After too many starts it gives up, as systemd does. It does not run other units, but
// records which were started.
type systemd struct {
	mu      sync.Mutex
	launch  func() (*process, error)
	kubelet *process
	// beforeStart, if set, runs before each start of the kubelet (ExecStartPre=).
	beforeStart func() error
	starts      int      // since the latest reset-failed
	failed      bool     // the kubelet was started too often, and is not started again
	loaded      []string // units that existed at the latest daemon-reload
	active      []string // units that were started
}

// startSystemd makes the node look like one with systemd.
func startSystemd(launch func() (*process, error)) (*systemd, error) {
	s := &systemd{launch: launch}
	for _, dir := range []string{"/run/systemd/system", systemdDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	for _, program := range systemdPrograms {
		if err := os.Symlink("/proc/1/exe", filepath.Join(systemdDir, program)); err != nil {
			return nil, err
		}
	}
	server := rpc.NewServer()
	if err := server.RegisterName("systemd", (*systemdCalls)(s)); err != nil {
		return nil, err
	}
	socket, err := net.Listen("unix", systemdSocket)
	if err != nil {
		return nil, err
	}
	go server.Accept(socket)
	return s, nil
}

// systemdPrograms are the names under which this program acts as a program of systemd.
var systemdPrograms = []string{"systemctl", "journalctl"}

// callSystemd runs as systemctl or journalctl.
func callSystemd(command []string) int {
	client, err := rpc.Dial("unix", systemdSocket)
	if err == nil {
		var out string
		err = client.Call("systemd.Run", command, &out)
		fmt.Print(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// systemdCalls are the calls that the socket accepts.
type systemdCalls systemd

// Run runs systemctl or journalctl with its arguments.
func (c *systemdCalls) Run(command []string, out *string) (err error) {
	s := (*systemd)(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch line := strings.Join(command, " "); {
	case line == "systemctl daemon-reload":
		return s.reload()
	case line == "systemctl restart "+kubeletUnit:
		if s.kubelet == nil {
			return fmt.Errorf("unit %s.service not found", kubeletUnit)
		}
		return errors.Join(s.stop(), s.start())
	case line == "systemctl reset-failed "+kubeletUnit:
		s.starts, s.failed = 0, false
	case line == "systemctl show --property=ActiveState,MainPID "+kubeletUnit:
		*out = s.status()
	case strings.HasPrefix(line, "systemctl start --no-block "):
		return s.startUnits(command[3:])
	case strings.HasPrefix(line, "systemctl stop "):
		return s.stopUnits(command[2:])
	case line == "journalctl --unit="+kubeletUnit+" --lines=200 --output=cat --no-pager":
		lines := matchingLines(logOf("kubelet"), func(string) bool { return true })
		*out = strings.Join(lines[max(0, len(lines)-200):], "\n") + "\n"
	default:
		return fmt.Errorf("the stand-in for systemd does not support %q", line)
	}
	return nil
}

// Start starts the kubelet.
func (s *systemd) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.start()
}

func (s *systemd) start() (err error) {
	if s.starts++; s.starts > startLimit {
		s.failed = true
		return errors.Join(errors.New("start request repeated too quickly"), s.log("kubelet.service: Start request repeated too quickly."))
	}
	if s.beforeStart != nil {
		if err := s.beforeStart(); err != nil {
			return err
		}
	}
	if s.kubelet, err = s.launch(); err == nil {
		go s.keep(s.kubelet)
	}
	return errors.Join(err, s.log("Started kubelet.service - Kubernetes Kubelet."))
}

// log adds a line of systemd to the kubelet's log. The journal of a real node has such
// lines, too.
func (s *systemd) log(line string) error {
	f, err := os.OpenFile(logOf("kubelet"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// keep starts the kubelet again after its end, unless another call has already done so.
func (s *systemd) keep(p *process) {
	<-p.ended
	_ = s.log("kubelet.service: " + lastWords(p.cmd.ProcessState)) // a case that needs the line fails without it
	time.Sleep(restartDelay)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kubelet == p {
		_ = s.start() // without a kubelet, a later step of the case reports the failure
	}
}

// lastWords returns systemd's text about a service's end.
func lastWords(state *os.ProcessState) string {
	if state.Success() {
		return "Deactivated successfully."
	}
	return "Failed with result 'exit-code'."
}

// stop ends the kubelet. Its pods continue to run.
func (s *systemd) stop() error {
	_ = s.kubelet.cmd.Process.Signal(syscall.SIGTERM) // it may already have ended
	select {
	case <-s.kubelet.ended:
		return nil
	case <-time.After(killDelay):
		return errors.New("the kubelet does not end")
	}
}

func (s *systemd) status() string {
	switch {
	case s.kubelet == nil:
		return "ActiveState=inactive\nMainPID=0\n"
	case s.failed:
		return "ActiveState=failed\nMainPID=0\n"
	}
	select {
	case <-s.kubelet.ended:
		return "ActiveState=activating\nMainPID=0\n"
	default:
		return fmt.Sprintf("ActiveState=active\nMainPID=%d\n", s.kubelet.cmd.Process.Pid)
	}
}

// PID returns the ID of the kubelet's process.
func (s *systemd) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kubelet.cmd.Process.Pid
}

// Active returns the units that were started and not stopped.
func (s *systemd) Active() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.active)
}

// BeforeStart adds a step before each start of the kubelet.
func (s *systemd) BeforeStart(step func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beforeStart = step
}

func (s *systemd) reload() error {
	entries, err := os.ReadDir(unitsDir)
	s.loaded = nil
	for _, entry := range entries {
		s.loaded = append(s.loaded, entry.Name())
	}
	return err
}

// startUnits records that units were started. systemd knows only units that it has
// loaded.
func (s *systemd) startUnits(units []string) error {
	for _, unit := range units {
		if !slices.Contains(s.loaded, unit) {
			return fmt.Errorf("unit %s not found", unit)
		}
		if !slices.Contains(s.active, unit) {
			s.active = append(s.active, unit)
		}
	}
	return nil
}

func (s *systemd) stopUnits(units []string) error {
	for _, unit := range units {
		if !slices.Contains(s.loaded, unit) {
			return fmt.Errorf("unit %s not loaded", unit)
		}
	}
	s.active = slices.DeleteFunc(s.active, func(unit string) bool { return slices.Contains(units, unit) })
	return nil
}
