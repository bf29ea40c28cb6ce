//go:build unix

package main

import (
	"io"
	"net"
	"net/url"
	"time"
)

// relay adds a distance to a service. In both directions, data arrive half a round trip
// later. Connecting takes a round trip. As on a real network, the delays of
// simultaneous transfers do not add up. fakeaws's own RoundTrip is less exact. It
// counts how often a server reads after it has written, so it mistakes a part of
// the handshake for a later request.
type relay struct {
	socket    net.Listener
	to        string
	roundTrip time.Duration
}

// distant returns the URL of a relay to another URL.
func distant(service string, roundTrip time.Duration) (string, io.Closer, error) {
	u, err := url.Parse(service)
	if err != nil {
		return "", nil, err
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	r := &relay{socket, u.Host, roundTrip}
	go r.serve()
	u.Host = socket.Addr().String()
	return u.String(), socket, nil
}

func (r *relay) serve() {
	for {
		client, err := r.socket.Accept()
		if err != nil {
			return
		}
		connected := time.Now().Add(r.roundTrip)
		server, err := net.Dial("tcp", r.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		go r.carry(client, server, connected)
		go r.carry(server, client, connected)
	}
}

// parcel is a piece of data and its arrival time.
type parcel struct {
	data []byte
	at   time.Time
}

// carry sends what one end writes to the other, half a round trip later.
func (r *relay) carry(from, to net.Conn, connected time.Time) {
	line := make(chan parcel, 1024)
	go deliver(line, to)
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		sent := time.Now()
		if sent.Before(connected) {
			sent = connected
		}
		line <- parcel{buffer[:n], sent.Add(r.roundTrip / 2)}
		if err != nil {
			close(line)
			return
		}
	}
}

func deliver(line <-chan parcel, to net.Conn) {
	for p := range line {
		time.Sleep(time.Until(p.at))
		_, _ = to.Write(p.data)
	}
	_ = to.Close()
}
