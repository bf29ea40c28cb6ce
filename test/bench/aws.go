//go:build unix

package main

import (
	"errors"
	"io"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// distantAWS is AWS as a node sees it: IMDS is local, and the APIs are a round trip
// away, over TLS.
type distantAWS struct {
	*fakeaws.Server

	urls   []string
	relays []io.Closer
}

func startAWS(dir string, roundTrip time.Duration) (*distantAWS, error) {
	server, err := fakeaws.Start(fakeaws.ExampleWorld(), fakeaws.Options{TLS: true, Dir: dir})
	if err != nil {
		return nil, err
	}
	a := &distantAWS{Server: server}
	if roundTrip == 0 {
		return a, nil
	}
	for service, variable := range map[fakeaws.Service]string{fakeaws.STS: "AWS_ENDPOINT_URL_STS", fakeaws.ECR: "AWS_ENDPOINT_URL_ECR"} {
		url, r, err := distant(server.URL(service), roundTrip)
		if err != nil {
			return nil, errors.Join(err, a.Close())
		}
		a.urls, a.relays = append(a.urls, variable+"="+url), append(a.relays, r)
	}
	return a, nil
}

// Close ends the servers.
func (a *distantAWS) Close() error {
	err := a.Server.Close()
	for _, r := range a.relays {
		err = errors.Join(err, r.Close())
	}
	return err
}

// env returns the environment that makes the SDK call only these servers. If a variable
// has two values, the last one counts.
func (a *distantAWS) env() []string { return append(a.Env(), a.urls...) }

// calls counts the calls since the last Forget.
type calls struct{ imds, sts, ecr int }

func (a *distantAWS) calls() calls {
	return calls{len(a.Calls(fakeaws.IMDS)), len(a.Calls(fakeaws.STS)), len(a.Calls(fakeaws.ECR))}
}
