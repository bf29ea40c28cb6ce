// Command pause waits for a signal and then ends. It is the only program in the images
// of test/node: in the sandbox of the pods, and in the pods.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
