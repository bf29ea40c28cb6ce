// Command pause waits until it is told to end. It is all there is in the images
// of test/node: in the pods' sandbox, and in the pods.
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
