//go:build unix

package main

import "ecr-cross-account-credential-provider/test/fakeaws"

// row is a situation that is measured.
type row struct {
	name string
	// image is the image in the kubelet's request.
	image string
	// profile is the AWS profile with which the stock plugin, which has no
	// configuration, assumes the same role. Empty means the node's own identity.
	profile string
	// role is the role of the expected token. Empty means that both plugins must fail.
	role string
	// processes is the number of processes that start at once.
	processes int
	// warm means that another process of the node has already got the token.
	warm bool
	// near means that the programs make no call, so the distance of AWS does not
	// matter.
	near bool
}

// These are the names of the rows, to which the goals refer.
const (
	coldOwn    = "cold, own account"
	coldOther  = "cold, other account, 1 role"
	coldChain  = "cold, other account, 2 roles"
	warmOther  = "warm, other account"
	burstOther = "burst of 30, other account, 1 role"
	startUp    = "start-up: a request of an unknown version"
)

const (
	nodeRole    = "arn:aws:iam::" + fakeaws.NodeAccount + ":role/node"
	firstRole   = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/ecr-pull"
	hubRole     = "arn:aws:iam::" + fakeaws.SecondAccount + ":role/hub"
	secondRole  = "arn:aws:iam::" + fakeaws.SecondAccount + ":role/ecr-pull"
	firstImage  = fakeaws.FirstAccount + ".dkr.ecr.eu-west-1.amazonaws.com/team-a/app"
	secondImage = fakeaws.SecondAccount + ".dkr.ecr.eu-west-1.amazonaws.com/shop/cart"
)

var rows = []row{
	{name: coldOwn, image: fakeaws.NodeAccount + ".dkr.ecr.eu-west-1.amazonaws.com/base/java", role: nodeRole, processes: 1},
	{name: coldOther, image: firstImage, profile: "first", role: firstRole, processes: 1},
	{name: coldChain, image: secondImage, profile: "second", role: secondRole, processes: 1},
	{name: warmOther, image: firstImage, profile: "first", role: firstRole, processes: 1, warm: true},
	{name: burstOther, image: firstImage, profile: "first", role: firstRole, processes: 30},
	{name: startUp, image: firstImage, processes: 1, near: true},
}

// request returns the kubelet's request. The request of the start-up row has a version
// that neither plugin knows. So each plugin starts, reads and decodes the request, and
// ends.
func (r row) request() string {
	version := "v1"
	if r.role == "" {
		version = "v0"
	}
	return `{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/` + version + `","image":"` + r.image + `"}`
}
