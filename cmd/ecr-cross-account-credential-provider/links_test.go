package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// linked are the modules that the plugin links, with reasons. The plugin runs at
// every pod start and holds credentials, so a new module needs a reason here.
var linked = map[string]string{
	"github.com/aws/aws-sdk-go-v2":                                  "signing, retries, HTTP",
	"github.com/aws/aws-sdk-go-v2/config":                           "the node's credentials, wherever they are",
	"github.com/aws/aws-sdk-go-v2/credentials":                      "stscreds assumes the roles",
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds":                 "the instance's credentials, region and account",
	"github.com/aws/aws-sdk-go-v2/service/ecr":                      "tokens of private registries",
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic":                "tokens of ECR Public",
	"github.com/aws/aws-sdk-go-v2/service/sts":                      "assuming roles",
	"github.com/aws/aws-sdk-go-v2/service/signin":                   "linked by config, for profiles of `aws login`",
	"github.com/aws/aws-sdk-go-v2/service/sso":                      "linked by config, for profiles with SSO",
	"github.com/aws/aws-sdk-go-v2/service/ssooidc":                  "linked by config, for profiles with SSO",
	"github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding": "linked by the services",
	"github.com/aws/aws-sdk-go-v2/service/internal/presigned-url":   "linked by sts",
	"github.com/aws/aws-sdk-go-v2/internal/configsources":           "linked by the services",
	"github.com/aws/aws-sdk-go-v2/internal/endpoints/v2":            "linked by the services",
	"github.com/aws/aws-sdk-go-v2/internal/v4a":                     "linked by sts",
	"github.com/aws/smithy-go":                                      "the SDK's transport",
	"go.yaml.in/yaml/v3":                                            "the configuration, with lines",
	"k8s.io/kubelet":                                                "the types of request and response",
	"k8s.io/apimachinery":                                           "their metadata and durations",
	"github.com/go-logr/logr":                                       "linked by apimachinery",
	"k8s.io/klog/v2":                                                "linked by apimachinery",
	"k8s.io/utils":                                                  "linked by apimachinery",
	"k8s.io/kube-openapi":                                           "linked by apimachinery",
	"sigs.k8s.io/json":                                              "linked by apimachinery",
	"sigs.k8s.io/randfill":                                          "linked by apimachinery",
	"sigs.k8s.io/structured-merge-diff/v6":                          "linked by apimachinery",
	"github.com/fxamacker/cbor/v2":                                  "linked by apimachinery",
	"github.com/x448/float16":                                       "linked by apimachinery",
	"github.com/json-iterator/go":                                   "linked by apimachinery",
	"github.com/modern-go/concurrent":                               "linked by apimachinery",
	"github.com/modern-go/reflect2":                                 "linked by apimachinery",
	"go.yaml.in/yaml/v2":                                            "linked by apimachinery",
	"golang.org/x/net":                                              "linked by apimachinery",
	"golang.org/x/text":                                             "linked by apimachinery",
	"gopkg.in/inf.v0":                                               "linked by apimachinery",
}

// notLinked are packages, or prefixes of their paths, that the plugin must not
// link, with reasons. The imports that its own code must not have are in
// .golangci.yml.
var notLinked = map[string]string{
	"k8s.io/client-go":            "is for programs that call an API server",
	"k8s.io/component-base":       "brings flags, metrics and tracing that nobody reads",
	"k8s.io/kubernetes":           "is for the conformance tests",
	"github.com/spf13/cobra":      "starts slower than the standard flag package",
	"github.com/stretchr/testify": "is for tests",
	"github.com/prometheus":       "is for programs that run long enough to be scraped",
	"google.golang.org/grpc":      "is for protocols that the plugin does not use",
	"net/http/pprof":              "registers an HTTP handler on a node",
	"expvar":                      "registers an HTTP handler on a node",
	"testing":                     "is for tests",
	"plugin":                      "loads code",
	"ecr-cross-account-credential-provider/test": "stands in for AWS in tests",
}

type listedPackage struct {
	ImportPath string
	Imports    []string
	Module     *struct{ Path string }
}

func TestLinks(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	seen := map[string]bool{}
	for _, p := range packages {
		for forbidden, reason := range notLinked {
			if p.ImportPath == forbidden || strings.HasPrefix(p.ImportPath, forbidden+"/") {
				t.Errorf("got package %s, which %s: %s", p.ImportPath, reason, strings.Join(chainTo(packages, p.ImportPath), " -> "))
			}
		}
		if p.Module == nil {
			continue
		}
		module := p.Module.Path
		if seen[module] {
			continue
		}
		seen[module] = true
		if _, ok := linked[module]; !ok && module != ownModule {
			t.Errorf("got module %s without a reason: %s", module, strings.Join(chainTo(packages, p.ImportPath), " -> "))
		}
	}
	for module := range linked {
		if !seen[module] {
			t.Errorf("got a reason for module %s, which is not linked", module)
		}
	}
}

const ownModule = "ecr-cross-account-credential-provider"

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Module", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []listedPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// chainTo returns the chain of imports from the program to a package.
func chainTo(packages []listedPackage, target string) []string {
	for _, p := range packages {
		if p.ImportPath != target && slices.Contains(p.Imports, target) {
			return append(chainTo(packages, p.ImportPath), target)
		}
	}
	return []string{target}
}
