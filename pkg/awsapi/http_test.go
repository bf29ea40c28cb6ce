package awsapi

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
)

func TestCheckEndpoint(t *testing.T) {
	t.Parallel()
	tests := []struct {
		url string
		ok  bool
	}{
		{"https://sts.eu-west-1.amazonaws.com", true},
		{"https://example.com:8443/path", true},
		{"https://10.0.0.1", true},
		{"http://localhost", true},
		{"http://localhost:4566", true},
		{"http://127.0.0.1:4566", true},
		{"http://127.8.9.10", true},
		{"http://[::1]:4566", true},
		{"http://[::ffff:127.0.0.1]", true},
		{"http://169.254.169.254", true},
		{"http://169.254.170.2/v2/credentials", true},
		{"http://169.254.170.23/v1/credentials", true},
		{"http://[fd00:ec2::254]", true},
		{"http://[fd00:ec2::23]/v1/credentials", true},
		{"http://[fe80::1]", true},

		{"http://sts.eu-west-1.amazonaws.com", false},
		{"http://example.com", false},
		{"http://localhost.example.com", false},
		{"http://127.0.0.1.example.com", false},
		{"http://10.0.0.1", false},
		{"http://192.168.0.1", false},
		{"http://8.8.8.8", false},
		{"http://0.0.0.0", false},
		{"http://[::]", false},
		{"http://[fd00:ec3::254]", false},
		{"http://[fd00::254]", false},
		{"http://[2001:db8::1]", false},
		{"http://[::ffff:10.0.0.1]", false},
		{"http://2130706433", false},
		{"http://0x7f.1", false},
		{"http://user@example.com", false},
		{"http://127.0.0.1@example.com", false},
		{"http:///path", false},
		{"http://224.0.0.1", false},
		{"ftp://example.com", false},
		{"HTTP://example.com", false},
	}
	for _, test := range tests {
		t.Run(test.url, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(test.url)
			if err != nil {
				t.Fatal(err)
			}
			if err := checkMetadata(u); (err == nil) != test.ok {
				t.Errorf("checkMetadata: got %v, want success: %t", err, test.ok)
			}
			err = checkEndpoint(u)
			if ok := test.ok && !isLinkLocal(u); (err == nil) != ok {
				t.Errorf("checkEndpoint: got %v, want success: %t", err, ok)
			}
			if err != nil {
				want := "the endpoint " + u.Scheme + "://" + u.Host + " is not https; want https, or http to a loopback address"
				if err.Error() != want || (&API{}).explain(err, progress{}).class != failure.Misconfigured {
					t.Errorf("got %v, want %s", err, want)
				}
			}
		})
	}
}

// isLinkLocal reports whether a URL is plain http to an address of metadata services.
func isLinkLocal(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (ip.IsLinkLocalUnicast() || metadataIPv6.Contains(ip))
}

// TestRedirect: an answer can't send a signed request elsewhere.
func TestRedirect(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			elsewhere, count := serve(t, wire{status: 200, body: "{}"}, false)
			to := http.Header{"Location": {*elsewhere.cfg.BaseEndpoint}}
			api, _ := serve(t, wire{status: status, header: to}, false)
			host := hostOfURL(*api.cfg.BaseEndpoint)
			wantError(t, getToken(t.Context(), api), failure.Unavailable, host+" redirected the request to "+hostOfURL(*elsewhere.cfg.BaseEndpoint)+" (redirects are not followed)")
			if count.n.Load() != 0 {
				t.Errorf("got %d requests to the redirect's target, want none", count.n.Load())
			}
		})
	}
}

func TestBoundedBody(t *testing.T) {
	t.Parallel()
	broken, errTooLarge := errors.New("broken"), &http.MaxBytesError{}
	tests := []struct {
		name   string
		in     io.Reader
		length int
		err    error
	}{
		{"empty", strings.NewReader(""), 0, nil},
		{"short", strings.NewReader("abc"), 3, nil},
		{"full", strings.NewReader("abcdefgh"), 8, nil},
		{"one too many", strings.NewReader("abcdefghi"), 8, errTooLarge},
		{"many too many", strings.NewReader(strings.Repeat("a", 10_000)), 8, errTooLarge},
		{"a byte at a time, full", iotest.OneByteReader(strings.NewReader("abcdefgh")), 8, nil},
		{"a byte at a time, too many", iotest.OneByteReader(strings.NewReader("abcdefghi")), 8, errTooLarge},
		{"end with the data", iotest.DataErrReader(strings.NewReader("abcdefgh")), 8, nil},
		{"broken", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), 3, broken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var failed error
			body := bounded(io.NopCloser(test.in), 8, func(err error) { failed = err })
			got, err := io.ReadAll(body)
			if len(got) != test.length || fmt.Sprint(err) != fmt.Sprint(test.err) || fmt.Sprint(failed) != fmt.Sprint(test.err) {
				t.Errorf("got %d bytes, %v (noted %v); want %d, %v", len(got), err, failed, test.length, test.err)
			}
			want := test.err
			if want == nil {
				want = io.EOF
			}
			if n, err := body.Read(make([]byte, 5)); n != 0 || err == nil || err.Error() != want.Error() {
				t.Errorf("next Read: got %d bytes, %v; want none, %v", n, err, want)
			}
		})
	}
}

// TestLongHeaders: headers are limited like the body.
func TestLongHeaders(t *testing.T) {
	t.Parallel()
	api, _ := serve(t, wire{status: 200, header: http.Header{"X-Long": {strings.Repeat("a", 2*maxBody)}}}, false)
	err := getToken(t.Context(), api)
	wantError(t, err, failure.Unavailable, hostOfURL(*api.cfg.BaseEndpoint)+": the headers of the answer are larger than 1048576 bytes")
}

func TestClock(t *testing.T) {
	t.Parallel()
	node := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) http.Header {
		return http.Header{"Date": {node.Add(d).Format(http.TimeFormat)}}
	}
	tests := []struct {
		name    string
		headers []http.Header
		want    time.Duration
	}{
		{"no answer", nil, 0},
		{"no date", []http.Header{{}}, 0},
		{"not a date", []http.Header{{"Date": {"yesterday"}}}, 0},
		{"the same", []http.Header{at(0)}, 0},
		{"a little ahead", []http.Header{at(4 * time.Second)}, 0},
		{"a little behind", []http.Header{at(-4 * time.Second)}, 0},
		{"ahead", []http.Header{at(5 * time.Second)}, 5 * time.Second},
		{"far ahead", []http.Header{at(time.Hour)}, time.Hour},
		{"far behind", []http.Header{at(-time.Hour)}, -time.Hour},
		{"the latest counts", []http.Header{at(time.Hour), at(2 * time.Hour)}, 2 * time.Hour},
		{"right again", []http.Header{at(time.Hour), at(0)}, 0},
		{"no news", []http.Header{at(time.Hour), {}}, time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := &API{options: Options{Now: func() time.Time { return node }}}
			for _, header := range test.headers {
				c.observe(header)
			}
			if got := c.Skew(); got != test.want {
				t.Errorf("got AWS %s ahead of the node, want %s", got, test.want)
			}
		})
	}
}

// TestRemaining: Remaining uses the clock that gives the shorter life. Something has
// expired only if both clocks say so.
func TestRemaining(t *testing.T) {
	t.Parallel()
	node := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		date, expires, want time.Duration // from the node's clock
		expired             bool
	}{
		"clocks agree":                       {0, time.Hour, time.Hour, false},
		"over":                               {0, 0, 0, true},
		"Date 5h slow":                       {-5 * time.Hour, time.Hour, time.Hour, false},
		"Date 30 years slow":                 {-30 * 365 * 24 * time.Hour, time.Hour, time.Hour, false},
		"Date 5h fast":                       {5 * time.Hour, time.Hour, 0, false},
		"Date 5h fast, a long life":          {5 * time.Hour, 12 * time.Hour, 7 * time.Hour, false},
		"node 5h fast, expired by its clock": {-5 * time.Hour, -4 * time.Hour, 0, false},
		"node 5h fast, expired by AWS's clock too": {-5 * time.Hour, -5 * time.Hour, 0, true},
		"node 5h slow":                         {5 * time.Hour, 6 * time.Hour, time.Hour, false},
		"node 5h slow, expired by AWS's clock": {5 * time.Hour, 5 * time.Hour, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := &API{options: Options{Now: func() time.Time { return node }}}
			api.observe(http.Header{"Date": {node.Add(test.date).Format(http.TimeFormat)}})
			end := node.Add(test.expires)
			if got := api.Remaining(end); got != test.want || api.Expired(end) != test.expired {
				t.Errorf("got %s remaining, expired %t; want %s, %t", got, api.Expired(end), test.want, test.expired)
			}
			if api.Skew() != test.date || !api.Now().Equal(node) {
				t.Errorf("got skew %s at %s, want %s at %s", api.Skew(), api.Now(), test.date, node)
			}
		})
	}
}
