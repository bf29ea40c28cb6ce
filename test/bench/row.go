//go:build unix

package main

import "ecr-cross-account-credential-provider/test/fakeaws"

// row is a situation that is measured.
type row struct {
	name string
	// image is what the kubelet asks for.
	image string
	// profile is the AWS profile that leads the stock plugin to the same role; it
	// has no configuration of its own. Empty is the node's own identity.
	profile string
	// role is whom the token must be minted for. Empty: no answer is due, both
	// plugins must fail.
	role string
	// processes are started at once.
	processes int
	// warm says that another process of the node has asked before.
	warm bool
	// near says that no call is made, so that it does not matter how far AWS is.
	near bool
}

// The rows' names, as the goals look for them.
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

// request is what the kubelet writes. The start-up's is of a version that
// neither plugin knows: each has come up, has read and decoded it, and ends.
func (r row) request() string {
	version := "v1"
	if r.role == "" {
		version = "v0"
	}
	return `{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/` + version + `","image":"` + r.image + `"}`
}
