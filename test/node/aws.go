package main

import (
	"os"
	"slices"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// These are the role of the node, and the roles in the accounts whose images it pulls.
// fakeaws.ExampleWorld has the same roles. Here some also have permissions to pull.
const (
	nodeRole    = "arn:aws:iam::" + fakeaws.NodeAccount + ":role/node"
	nodeSession = "arn:aws:sts::" + fakeaws.NodeAccount + ":assumed-role/node/" + instance
	instance    = "i-0123456789abcdef0"
	region      = "eu-west-1"

	firstRole     = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/ecr-pull"
	firstSession  = "arn:aws:sts::" + fakeaws.FirstAccount + ":assumed-role/ecr-pull/" + instance
	hubRole       = "arn:aws:iam::" + fakeaws.SecondAccount + ":role/hub"
	secondRole    = "arn:aws:iam::" + fakeaws.SecondAccount + ":role/ecr-pull"
	secondSession = "arn:aws:sts::" + fakeaws.SecondAccount + ":assumed-role/ecr-pull/" + instance

	ownRegistry    = fakeaws.NodeAccount + ".dkr.ecr." + region + ".amazonaws.com"
	firstRegistry  = fakeaws.FirstAccount + ".dkr.ecr." + region + ".amazonaws.com"
	secondRegistry = fakeaws.SecondAccount + ".dkr.ecr.eu-central-1.amazonaws.com"
	sandboxHost    = "registry.k8s.io"
	mirrorHost     = "mirror.example.com"
	dockerHub      = "registry-1.docker.io" // the host from which containerd pulls docker.io

	layerBucket = "prod-" + region + "-starport-layer-bucket.s3." + region + ".amazonaws.com"

	metadataAddress = "169.254.169.254"
)

// addresses map external host names to addresses on a node.
var addresses = []struct {
	service fakeaws.Service // empty for the registries
	address string
	hosts   []string
}{
	{"", "127.0.0.1", []string{ownRegistry, firstRegistry, secondRegistry, sandboxHost, mirrorHost, dockerHub}},
	{fakeaws.STS, "127.0.1.1", []string{"sts." + region + ".amazonaws.com"}},
	{fakeaws.ECR, "127.0.1.2", []string{"api.ecr." + region + ".amazonaws.com", "api.ecr.eu-central-1.amazonaws.com"}},
	{fakeaws.ECRPublic, "127.0.1.3", []string{"api.ecr-public.us-east-1.amazonaws.com"}},
	{fakeaws.S3, "127.0.1.4", []string{layerBucket}},
}

// newWorld returns the accounts. The node's role may pull every repository of its own
// account. The other roles may pull at most those of their own account below team-a/,
// docker-hub/ or shop/.
func newWorld() *fakeaws.World {
	return fakeaws.NewWorld(
		fakeaws.Node{InstanceID: instance, Region: region, Role: nodeRole},
		fakeaws.Role{ARN: nodeRole, Pull: []string{"*"}}, // AmazonEC2ContainerRegistryPullOnly
		fakeaws.Role{ARN: firstRole, Trust: []fakeaws.Trust{{Principal: nodeRole}}, Pull: []string{firstRepository("team-a/*").ARN(), firstRepository("docker-hub/*").ARN()}},
		fakeaws.Role{ARN: hubRole, Trust: []fakeaws.Trust{{Principal: nodeRole}}},
		fakeaws.Role{
			ARN: secondRole, Trust: []fakeaws.Trust{{Principal: hubRole, ExternalID: fakeaws.ExampleExternalID}},
			Pull: []string{fakeaws.Repository{Account: fakeaws.SecondAccount, Region: "eu-central-1", Name: "shop/*"}.ARN()},
		},
	)
}

func firstRepository(name string) fakeaws.Repository {
	return fakeaws.Repository{Account: fakeaws.FirstAccount, Region: region, Name: name}
}

// startAWS serves the accounts at AWS's own host names, so that the plugin needs no
// settings. The node trusts its certificate.
func startAWS(world *fakeaws.World, roundTrip time.Duration) (*fakeaws.Server, error) {
	o := fakeaws.Options{
		TLS: true, Dir: nodeDir, RoundTrip: roundTrip,
		Listen: map[fakeaws.Service]string{fakeaws.IMDS: metadataAddress + ":80"},
	}
	for _, at := range addresses {
		o.Names = slices.Concat(o.Names, at.hosts)
		if at.service != "" {
			o.Listen[at.service] = at.address + ":443"
		}
	}
	server, err := fakeaws.Start(world, o)
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(server.CAFile())
	if err != nil {
		return nil, err
	}
	return server, writeFile("/etc/ssl/certs/ca-certificates.crt", string(ca), 0o644)
}
