// Command fakeaws serves the example world on loopback until it is interrupted. It
// prints to stdout the environment for an AWS SDK, and to stderr each call.
//
//	fakeaws > env &
//	set -a; . ./env
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

func main() {
	roundTrip := flag.Duration("round-trip", 0, "the duration of a round trip")
	useTLS := flag.Bool("tls", false, "serve the APIs over TLS; the CA's certificate is written to -dir")
	dir := flag.String("dir", os.TempDir(), "the directory for the CA's certificate")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := fakeaws.Start(fakeaws.ExampleWorld(), fakeaws.Options{
		TLS:       *useTLS,
		Dir:       *dir,
		RoundTrip: *roundTrip,
		Log:       func(c fakeaws.Call) { log.Print(c) },
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, variable := range server.Env() {
		fmt.Println(variable)
	}
	<-ctx.Done()
	if err := server.Close(); err != nil {
		log.Fatal(err)
	}
}
