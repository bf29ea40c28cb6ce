package fakeaws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestHostsOfTheSDK: in each partition, serviceOf finds the right service for each host
// that the SDK calls.
func TestHostsOfTheSDK(t *testing.T) {
	t.Parallel()
	check := func(url string, err error, want Service) {
		t.Helper()
		host := strings.TrimPrefix(url, "https://")
		if got, ok := serviceOf(host); err != nil || !ok || got != want {
			t.Errorf("%s leads to %q, want %s; %v", url, got, want, err)
		}
	}
	for _, region := range []string{"eu-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1"} {
		for _, form := range []struct{ fips, dual bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
			if form.dual && partitionAt(region).name != "aws" && partitionAt(region).name != "aws-cn" {
				continue // the partition has no such host
			}
			p := sts.EndpointParameters{Region: aws.String(region), UseFIPS: aws.Bool(form.fips), UseDualStack: aws.Bool(form.dual), UseGlobalEndpoint: aws.Bool(false)}
			s, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), p)
			check(s.URI.String(), err, STS)
			e, err := ecr.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), ecr.EndpointParameters{Region: p.Region, UseFIPS: p.UseFIPS, UseDualStack: p.UseDualStack})
			check(e.URI.String(), err, ECR)
		}
	}
	global, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), sts.EndpointParameters{Region: aws.String("aws-global")})
	check(global.URI.String(), err, STS)
	public, err := ecrpublic.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), ecrpublic.EndpointParameters{Region: aws.String("us-east-1")})
	check(public.URI.String(), err, ECRPublic)
}

func TestServiceOf(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]Service{
		"444455556666.dkr.ecr.eu-west-1.amazonaws.com":                         Registry,
		"444455556666.dkr.ecr-fips.us-east-1.amazonaws.com":                    Registry,
		"444455556666.dkr-ecr.us-east-1.on.aws":                                Registry,
		"444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn":                     Registry,
		"444455556666.dkr.ecr.eusc-de-east-1.amazonaws.eu":                     Registry,
		"prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com":      S3,
		"prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn": S3,
		"iam.amazonaws.com":                                    IAM,
		"iam.us-gov.amazonaws.com":                             IAM,
		"iam.cn-north-1.amazonaws.com.cn":                      IAM,
		"example.com":                                          "",
		"sts.eu-west-1.amazonaws.com.example.com":              "",
		"xsts.eu-west-1.amazonaws.com":                         "",
		"444455556666.dkr.ecr.eu-west-1.amazonaws.com.cn.test": "",
		"44445555666.dkr.ecr.eu-west-1.amazonaws.com":          "",
		"mine.s3.eu-west-1.amazonaws.com":                      "",
		"ec2.eu-west-1.amazonaws.com":                          "",
	} {
		if got, ok := serviceOf(host); got != want || ok != (want != "") {
			t.Errorf("%s leads to %q, want %q", host, got, want)
		}
	}
}
