package awsapi

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ecr-cross-account-credential-provider/pkg/registry"

	"ecr-cross-account-credential-provider/pkg/failure"
)

// registryOf parses the host of a private registry.
func registryOf(t *testing.T, host string) registry.Registry {
	t.Helper()
	image, ok := registry.Parse(host + "/app")
	if !ok {
		t.Fatalf("%s: got %v, want an ECR registry", host, registry.WhyNotECR(host+"/app"))
	}
	return image.Registry()
}

// TestECRHost: the API host for each form of a registry's host in each partition.
func TestECRHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"444455556666.dkr.ecr.eu-west-1.amazonaws.com":      "api.ecr.eu-west-1.amazonaws.com",
		"444455556666.dkr.ecr.us-east-1.amazonaws.com":      "api.ecr.us-east-1.amazonaws.com",
		"444455556666.dkr.ecr.mx-central-1.amazonaws.com":   "api.ecr.mx-central-1.amazonaws.com",
		"444455556666.dkr.ecr.eu-middle-12.amazonaws.com":   "api.ecr.eu-middle-12.amazonaws.com",
		"444455556666.dkr.ecr-fips.us-east-2.amazonaws.com": "api.ecr-fips.us-east-2.amazonaws.com",
		"444455556666.dkr-ecr.eu-west-1.on.aws":             "ecr.eu-west-1.api.aws",
		"444455556666.dkr-ecr-fips.us-west-2.on.aws":        "ecr-fips.us-west-2.api.aws",

		"444455556666.dkr.ecr.us-gov-west-1.amazonaws.com":      "api.ecr.us-gov-west-1.amazonaws.com",
		"444455556666.dkr.ecr-fips.us-gov-east-1.amazonaws.com": "api.ecr-fips.us-gov-east-1.amazonaws.com",
		"444455556666.dkr-ecr.us-gov-west-1.on.aws":             "ecr.us-gov-west-1.api.aws",
		"444455556666.dkr-ecr-fips.us-gov-west-1.on.aws":        "ecr-fips.us-gov-west-1.api.aws",

		"444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn":                "api.ecr.cn-north-1.amazonaws.com.cn",
		"444455556666.dkr.ecr.cn-northwest-1.amazonaws.com.cn":            "api.ecr.cn-northwest-1.amazonaws.com.cn",
		"444455556666.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn":     "ecr.cn-north-1.api.amazonwebservices.com.cn",
		"444455556666.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn": "ecr.cn-northwest-1.api.amazonwebservices.com.cn",

		"444455556666.dkr.ecr.eusc-de-east-1.amazonaws.eu":      "api.ecr.eusc-de-east-1.amazonaws.eu",
		"444455556666.dkr.ecr-fips.eusc-de-east-1.amazonaws.eu": "api.ecr-fips.eusc-de-east-1.amazonaws.eu",

		"444455556666.dkr.ecr.us-iso-east-1.c2s.ic.gov":            "api.ecr.us-iso-east-1.c2s.ic.gov",
		"444455556666.dkr.ecr-fips.us-iso-west-1.c2s.ic.gov":       "api.ecr-fips.us-iso-west-1.c2s.ic.gov",
		"444455556666.dkr.ecr.us-isob-east-1.sc2s.sgov.gov":        "api.ecr.us-isob-east-1.sc2s.sgov.gov",
		"444455556666.dkr.ecr-fips.us-isob-east-1.sc2s.sgov.gov":   "api.ecr-fips.us-isob-east-1.sc2s.sgov.gov",
		"444455556666.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk":       "api.ecr.eu-isoe-west-1.cloud.adc-e.uk",
		"444455556666.dkr.ecr-fips.eu-isoe-west-1.cloud.adc-e.uk":  "api.ecr-fips.eu-isoe-west-1.cloud.adc-e.uk",
		"444455556666.dkr.ecr.us-isof-south-1.csp.hci.ic.gov":      "api.ecr.us-isof-south-1.csp.hci.ic.gov",
		"444455556666.dkr.ecr-fips.us-isof-south-1.csp.hci.ic.gov": "api.ecr-fips.us-isof-south-1.csp.hci.ic.gov",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			got, err := loadAPI(t).ECRHost(registryOf(t, host).API())
			if err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestSTSHost(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{
		"eu-west-1":       "sts.eu-west-1.amazonaws.com",
		"us-east-1":       "sts.us-east-1.amazonaws.com",
		"eu-middle-12":    "sts.eu-middle-12.amazonaws.com",
		"us-gov-west-1":   "sts.us-gov-west-1.amazonaws.com",
		"cn-north-1":      "sts.cn-north-1.amazonaws.com.cn",
		"eusc-de-east-1":  "sts.eusc-de-east-1.amazonaws.eu",
		"us-iso-east-1":   "sts.us-iso-east-1.c2s.ic.gov",
		"us-isob-east-1":  "sts.us-isob-east-1.sc2s.sgov.gov",
		"eu-isoe-west-1":  "sts.eu-isoe-west-1.cloud.adc-e.uk",
		"us-isof-south-1": "sts.us-isof-south-1.csp.hci.ic.gov",
	} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			got, err := loadAPI(t).STSHost(regionOf(region), false)
			if err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
	for region, want := range map[string]string{
		"us-east-1":     "sts-fips.us-east-1.amazonaws.com",
		"us-gov-west-1": "sts.us-gov-west-1.amazonaws.com",
	} {
		t.Run("FIPS in "+region, func(t *testing.T) {
			t.Parallel()
			got, err := loadAPI(t).STSHost(regionOf(region), true)
			if err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestPublicHost(t *testing.T) {
	t.Parallel()
	if got, err := loadAPI(t).ECRHost(registry.API{Public: true}); err != nil || got != "api.ecr-public.us-east-1.amazonaws.com" {
		t.Errorf("got %q, %v; want api.ecr-public.us-east-1.amazonaws.com", got, err)
	}
}

// TestNamedEndpoints: an endpoint that the environment names is used unchanged,
// whatever the other endpoint settings are.
func TestNamedEndpoints(t *testing.T) {
	t.Parallel()
	const plain, fips = "444455556666.dkr.ecr.us-east-1.amazonaws.com/app", "444455556666.dkr-ecr-fips.us-east-1.on.aws/app"
	insecure := func(host string) string {
		return " the endpoint http://" + host + " is not https; want https, or http to a loopback address"
	}
	const public = "api.ecr-public.us-east-1.amazonaws.com <nil>"
	tests := []struct {
		name             string
		env              []string
		image            string
		ecr, sts, public string
	}{
		{
			"all",
			[]string{"AWS_ENDPOINT_URL=https://all.example:8443"},
			fips,
			"all.example:8443 <nil>", "all.example:8443 <nil>", "all.example:8443 <nil>",
		},
		{
			"each",
			[]string{"AWS_ENDPOINT_URL_ECR=https://ecr.example", "AWS_ENDPOINT_URL_STS=https://sts.example", "AWS_ENDPOINT_URL_ECR_PUBLIC=https://public.example"},
			plain,
			"ecr.example <nil>", "sts.example <nil>", "public.example <nil>",
		},
		{
			"each, with FIPS and dual-stack in the registry and in the environment",
			[]string{"AWS_ENDPOINT_URL_ECR=https://ecr.example", "AWS_ENDPOINT_URL_STS=https://sts.example", "AWS_ENDPOINT_URL_ECR_PUBLIC=https://public.example", "AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=true"},
			fips,
			"ecr.example <nil>", "sts.example <nil>", "public.example <nil>",
		},
		{
			"FIPS in the environment",
			[]string{"AWS_USE_FIPS_ENDPOINT=true"},
			plain,
			"api.ecr-fips.us-east-1.amazonaws.com <nil>", "sts-fips.us-east-1.amazonaws.com <nil>", "",
		},
		{
			"loopback",
			[]string{"AWS_ENDPOINT_URL=http://127.0.0.1:4566"},
			plain,
			"127.0.0.1:4566 <nil>", "127.0.0.1:4566 <nil>", "127.0.0.1:4566 <nil>",
		},
		{
			"plain http",
			[]string{"AWS_ENDPOINT_URL=http://all.example"},
			plain,
			insecure("all.example"), insecure("all.example"), insecure("all.example"),
		},
		{
			"plain http for one",
			[]string{"AWS_ENDPOINT_URL_STS=http://10.0.0.1:80"},
			plain,
			"api.ecr.us-east-1.amazonaws.com <nil>", insecure("10.0.0.1:80"), public,
		},
		{
			"no URL",
			[]string{"AWS_ENDPOINT_URL_ECR=ecr.example", "AWS_ENDPOINT_URL_STS=localhost:4566"},
			plain,
			` the endpoint that AWS_ENDPOINT_URL_* or the profile names is not a URL`, ` the endpoint that AWS_ENDPOINT_URL_* or the profile names is not a URL`, public,
		},
		{
			"ignored",
			[]string{"AWS_ENDPOINT_URL=https://all.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true"},
			plain,
			"api.ecr.us-east-1.amazonaws.com <nil>", "sts.us-east-1.amazonaws.com <nil>", public,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			lines := strings.Split(inChild(t, "hosts", test.env, test.image), "\n")
			want := []string{test.ecr, test.sts, test.public}
			if test.public == "" {
				lines[2] = "" // ECR Public has no FIPS endpoint, and needs none
			}
			if !slices.Equal(lines, want) {
				t.Errorf("got %q, want %q", lines, want)
			}
		})
	}
}

// TestInsecureEndpoint: no request is made over plain http, and the error's class
// is Misconfigured.
func TestInsecureEndpoint(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"http://192.0.2.1", "http://ecr.example%C2%85line", "http://" + strings.Repeat("a", 5000)} {
		api := apiAt(t, endpoint)
		api.cfg.HTTPClient = do(nil) // a request would panic
		for _, ask := range []ask{getToken, assumeRole, getPublicToken} {
			wantError(t, ask(t.Context(), api), failure.Misconfigured, "the endpoint ")
		}
	}
}

// TestAsLeavesTheNodeAlone: making clients for other credentials and another region
// does not change the API.
func TestAsLeavesTheNodeAlone(t *testing.T) {
	t.Parallel()
	api := loadAPI(t)
	before := api.cfg.Credentials
	cfg := api.as("us-west-2", secrets)
	got, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || got.AccessKeyID != secrets.AccessKeyID || cfg.Region != "us-west-2" {
		t.Errorf("got key %v in %s, %v; want %s in us-west-2", got.AccessKeyID, cfg.Region, err, secrets.AccessKeyID)
	}
	if api.cfg.Region != "" || api.cfg.Credentials != before {
		t.Error("got another region or other credentials in the API, want no change")
	}
	if _, ok := api.cfg.Retryer().(aws.NopRetryer); !ok {
		t.Error("got a Retryer that retries, want aws.NopRetryer")
	}
}

// partition is a partition as the SDK knows it.
type partition struct {
	ID          string
	RegionRegex string
	Regions     map[string]any
	Outputs     struct{ DNSSuffix string }
}

// TestPartitions: pkg/registry and the linked version of the SDK agree on
// partitions and regions.
func TestPartitions(t *testing.T) {
	t.Parallel()
	for _, p := range partitionsOfSDK(t) {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			if _, err := registry.ParsePartition(p.ID); err != nil {
				t.Error(err)
			}
			for name := range p.Regions {
				if strings.HasSuffix(name, "-global") {
					continue // a pseudo-region of global services
				}
				checkRegion(t, p, name)
			}
		})
	}
}

func checkRegion(t *testing.T, p partition, name string) {
	t.Helper()
	region, err := registry.ParseRegion(name)
	if err != nil || region.Partition().String() != p.ID {
		t.Errorf("got %s in %q, %v; want %s", name, region.Partition(), err, p.ID)
		return
	}
	reg := registryOf(t, fmt.Sprintf("444455556666.dkr.ecr.%s.%s", name, p.Outputs.DNSSuffix))
	want := fmt.Sprintf("api.ecr.%s.%s", name, p.Outputs.DNSSuffix)
	if got, err := loadAPI(t).ECRHost(reg.API()); err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func partitionsOfSDK(t *testing.T) []partition {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "internal/endpoints/awsrulesfn/partitions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Partitions []partition }
	if err := json.Unmarshal(text, &file); err != nil || len(file.Partitions) < 8 {
		t.Fatalf("got %d partitions, %v; want at least 8", len(file.Partitions), err)
	}
	return file.Partitions
}
