//go:build unix

package main

import (
	"io"
	"net"
	"net/url"
	"time"
)

// relay stands before a service and makes it distant: whatever goes through
// arrives half a round trip later, in both directions, and nothing before the
// round trip that connecting takes. So what is done while something else is on
// its way takes no time of its own, as on a real line. fakeaws's own RoundTrip
// can't tell that: it counts the times that a server reads after it has written,
// and charges a handshake done in advance for the request that comes later.
type relay struct {
	socket    net.Listener
	to        string
	roundTrip time.Duration
}

// distant makes a URL that leads to another over a distance.
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

// parcel is what was read at once, and when it arrives.
type parcel struct {
	data []byte
	at   time.Time
}

// carry takes what one end writes to the other, half a round trip later.
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
