package fakeaws

// These are the accounts of ExampleWorld, and of the project's examples.
const (
	NodeAccount   = "111122223333"
	FirstAccount  = "444455556666"
	SecondAccount = "777788889999"
)

// ExampleExternalID is the external ID that the last role of the second account
// requires.
const ExampleExternalID = "example-external-id"

// ExampleWorld returns a world with a node in one account, and roles in two accounts
// that own registries. In the first account, role/ecr-pull trusts the node. In the
// second account, role/hub trusts the node, and role/ecr-pull trusts role/hub with an
// external ID.
func ExampleWorld() *World {
	const node = "arn:aws:iam::" + NodeAccount + ":role/node"
	const hub = "arn:aws:iam::" + SecondAccount + ":role/hub"
	return NewWorld(
		Node{InstanceID: "i-0123456789abcdef0", Region: "eu-west-1", Role: node},
		Role{ARN: "arn:aws:iam::" + FirstAccount + ":role/ecr-pull", Trust: []Trust{{Principal: node}}},
		Role{ARN: hub, Trust: []Trust{{Principal: node}}},
		Role{ARN: "arn:aws:iam::" + SecondAccount + ":role/ecr-pull", Trust: []Trust{{Principal: hub, ExternalID: ExampleExternalID}}},
	)
}
