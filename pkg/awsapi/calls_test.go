package awsapi

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// loadAPI makes an API without configured endpoints. The API does not wait before
// it retries.
func loadAPI(t *testing.T) *API {
	t.Helper()
	api, err := Load(t.Context(), Options{
		Timeouts: DefaultTimeouts(), Now: time.Now, Random: func() float64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// apiAt makes an API that reaches all services at one endpoint.
func apiAt(t *testing.T, endpoint string) *API {
	t.Helper()
	api := loadAPI(t)
	api.cfg.BaseEndpoint = &endpoint
	return api
}

// trust makes the API's transport accept only certificates of the given authority,
// and limits each attempt.
func (a *API) trust(roots *x509.CertPool, t Timeouts) *API {
	client := apiTransport(t).WithTransportOptions(func(tr *http.Transport) { tr.TLSClientConfig.RootCAs = roots })
	a.cfg.HTTPClient = a.usePreopened(client).Freeze()
	return a
}

// do is an HTTP client that is a function.
type do func(*http.Request) (*http.Response, error)

func (f do) Do(r *http.Request) (*http.Response, error) { return f(r) }

// apiOver makes an API that reaches AWS through f.
func apiOver(t *testing.T, f do) *API {
	t.Helper()
	api := loadAPI(t)
	api.cfg.HTTPClient = f
	return api
}

// testRegion is the region of the tests' calls.
func testRegion() registry.Region { return regionOf("eu-west-1") }

// regionOf parses a valid region.
func regionOf(name string) registry.Region {
	region, err := registry.ParseRegion(name)
	if err != nil {
		panic(err)
	}
	return region
}

// ask calls one operation. Its answer does not matter.
type ask func(context.Context, *API) error

func assumeRole(ctx context.Context, api *API) error {
	client, err := api.STS(testRegion(), false, secrets)
	if err != nil {
		return err
	}
	_, err = Call(ctx, api, "test", func(ctx context.Context) (*sts.AssumeRoleOutput, error) {
		return client.AssumeRole(ctx, &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::444455556666:role/ecr-pull"), RoleSessionName: aws.String("test"),
		})
	})
	return err
}

func assumeRoleWithWebIdentity(ctx context.Context, api *API) error {
	client, err := api.STS(testRegion(), false, aws.Credentials{})
	if err != nil {
		return err
	}
	_, err = Call(ctx, api, "test", func(ctx context.Context) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return client.AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String("arn:aws:iam::444455556666:role/ecr-pull"), RoleSessionName: aws.String("test"),
			WebIdentityToken: aws.String(secrets.SessionToken),
		})
	})
	return err
}

func getToken(ctx context.Context, api *API) error { return getTokenAs(ctx, api, secrets) }

func getTokenAs(ctx context.Context, api *API, as aws.Credentials) error {
	image, _ := registry.Parse("444455556666.dkr.ecr.eu-west-1.amazonaws.com/app")
	client, err := api.ECR(image.Registry().API(), as)
	if err != nil {
		return err
	}
	_, err = Call(ctx, api, "test", func(ctx context.Context) (*ecr.GetAuthorizationTokenOutput, error) {
		return client.GetAuthorizationToken(ctx, nil)
	})
	return err
}

func getPublicToken(ctx context.Context, api *API) error {
	client, err := api.ECRPublic(secrets)
	if err != nil {
		return err
	}
	_, err = Call(ctx, api, "test", func(ctx context.Context) (*ecrpublic.GetAuthorizationTokenOutput, error) {
		return client.GetAuthorizationToken(ctx, nil)
	})
	return err
}

// wire is an answer as it is on the wire.
type wire struct {
	status int
	header http.Header
	body   string
}

func (a wire) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write([]byte(a.body))
}

// answer answers a request without a network.
func (a wire) answer(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	a.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// queryError returns an error answer in the protocol of STS.
func queryError(status int, code, message string) wire {
	return wire{status, http.Header{"Content-Type": {"text/xml"}}, fmt.Sprintf(
		`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>`, code, message)}
}

// jsonError returns an error answer in the protocol of ECR.
func jsonError(status int, code, message string) wire {
	body, _ := json.Marshal(map[string]string{"__type": code, "message": message})
	return wire{status, http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, string(body)}
}

// counter counts the requests that it passes on.
type counter struct {
	http.Handler
	n atomic.Int32
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.n.Add(1)
	c.Handler.ServeHTTP(w, r)
}

// serve serves h, over TLS or not, and makes an API that calls this server.
func serve(t *testing.T, h http.Handler, overTLS bool) (*API, *counter) {
	t.Helper()
	count := &counter{Handler: h}
	server := httptest.NewUnstartedServer(count)
	server.Config.ErrorLog = quiet()
	if !overTLS {
		server.Start()
		t.Cleanup(server.Close)
		return apiAt(t, server.URL), count
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return apiAt(t, server.URL).trust(roots, DefaultTimeouts()), count
}

// wantError checks an error of Call. Its text must begin with starts, and contain
// the other words.
func wantError(t *testing.T, err error, class failure.Class, starts string, contains ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %q", starts)
	}
	if got, ok := failure.Of(err); !ok || got != class {
		t.Errorf("got class %q (%t), want %q: %v", got, ok, class, err)
	}
	wantLine(t, err.Error())
	if !strings.HasPrefix(err.Error(), starts) {
		t.Errorf("got text %q, want it to start with %q", err, starts)
	}
	for _, words := range contains {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("got text %q, want %q in it", err, words)
		}
	}
}
