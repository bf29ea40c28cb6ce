// Command etcd is the store of a node's API server. It has one member. Its data end
// with the node.
package main

import (
	"flag"
	"log"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

func main() {
	dir := flag.String("dir", "", "the directory for its files")
	client := flag.String("client", "", "the URL at which it serves")
	flag.Parse()
	if err := serve(*dir, *client); err != nil {
		log.Fatal(err)
	}
}

func serve(dir, client string) error {
	at, err := url.Parse(client)
	if err != nil {
		return err
	}
	c := embed.NewConfig()
	c.Dir = dir
	c.LogLevel = "warn"
	c.UnsafeNoFsync = true // the data are only in memory
	c.ListenClientUrls, c.AdvertiseClientUrls = []url.URL{*at}, []url.URL{*at}
	e, err := embed.StartEtcd(c)
	if err != nil {
		return err
	}
	return <-e.Err()
}
