//go:build unix

package main

import (
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// These benchmarks measure what every process does besides reading the cache.
// BenchmarkFreshHit of pkg/cache measures the reading.

const manyAccounts = "../../config-examples/many-accounts.yaml"

func BenchmarkParseImage(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := registry.Parse(firstImage); !ok {
			b.Fatal("not ECR")
		}
	}
}

func BenchmarkLoadConfig(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := config.Load(manyAccounts, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	c, err := config.Load(manyAccounts, nil)
	if err != nil {
		b.Fatal(err)
	}
	image, _ := registry.Parse(firstImage)
	own, err := registry.ParseAccount("111122223333")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if c.Rules.Match(image, own).Entry == nil {
			b.Fatal("no entry")
		}
	}
}

func BenchmarkRequestAndResponse(b *testing.B) {
	text := rows[0].request()
	response := kubelet.Response{
		Scope: kubelet.ForRegistry, CacheDuration: time.Hour, AuthKey: "registry", Username: "AWS", Password: secret.New(strings.Repeat("x", 2500)),
	}
	b.ReportAllocs()
	for b.Loop() {
		request, err := kubelet.ReadRequest(strings.NewReader(text))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := request.Encode(response); err != nil {
			b.Fatal(err)
		}
	}
}
