package fakeaws

import (
	"regexp"
	"strings"
)

// These are AWS's host names. REGION stands for any region, DOMAIN for the domain
// of any partition, and DUAL for the domain of its dual-stack APIs.
var (
	registryHost = host(`(\d{12})\.dkr[.-]ecr(?:-fips)?\.(REGION)\.(?:DOMAIN|on\.aws|on\.amazonwebservices\.com\.cn)`)
	bucketHost   = host(`(prod-REGION-starport-layer-bucket)\.s3\.(REGION)\.DOMAIN`)
)

// routes map host names to services.
var routes = []struct {
	host    *regexp.Regexp
	service Service
}{
	{host(`sts\.DOMAIN|sts(?:-fips)?\.REGION\.(?:DOMAIN|DUAL)`), STS},
	{host(`iam\.(?:us-gov\.|cn-north-1\.)?DOMAIN`), IAM},
	{host(`(?:api\.ecr(?:-fips)?|ecr-fips)\.REGION\.DOMAIN|ecr(?:-fips)?\.REGION\.DUAL`), ECR},
	{host(`api\.ecr-public\.us-east-1\.DOMAIN|ecr-public\.us-east-1\.DUAL`), ECRPublic},
	{registryHost, Registry},
	{bucketHost, S3},
}

func host(pattern string) *regexp.Regexp {
	for name, of := range map[string]string{
		"REGION": `[a-z]+(?:-[a-z]+)+-\d+`,
		"DOMAIN": `(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)`,
		"DUAL":   `(?:api\.aws|api\.amazonwebservices\.com\.cn)`,
	} {
		pattern = strings.ReplaceAll(pattern, name, of)
	}
	return regexp.MustCompile("^(?:" + pattern + ")$")
}

// serviceOf returns the service behind a host name.
func serviceOf(name string) (Service, bool) {
	for _, route := range routes {
		if route.host.MatchString(name) {
			return route.service, true
		}
	}
	return "", false
}
