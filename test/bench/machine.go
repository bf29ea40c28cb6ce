//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// printMachine describes the machine, and prints the number of runs.
func printMachine(w io.Writer, o options) error {
	fmt.Fprintf(w, "%s, %s/%s, %d cores; %d runs of each program in each row\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), o.runs)
	return printLoad(w, "at the start")
}

// printLoad prints the machine's load, if the system reports it.
func printLoad(w io.Writer, when string) error {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return nil //nolint:nilerr // only Linux has this file
	}
	_, err = fmt.Fprintf(w, "\nload %s: %s\n", when, strings.Join(strings.Fields(string(load))[:3], " "))
	return err
}
