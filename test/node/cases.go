package main

import (
	"context"
	"slices"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// Case is a situation that a node must handle.
type Case struct {
	ID   string
	Name string
	Setup
	Run func(context.Context, *Node) error
}

// String returns the case's number and name.
func (c Case) String() string { return c.ID + " " + c.Name }

// cases are all cases. Most cases that wait for a back-off come first, because the
// other cases can run meanwhile.
var cases = slices.Concat(failureCases, serviceAccountCases, identityCases, companyCases, mirrorCases, doctorCases, loadCases, aheadCases, installCases, pullSecretCases)

const oneRole = `registries:
- accounts: ["` + fakeaws.FirstAccount + `"]
  assumeRoles:
  - arn: ` + firstRole + "\n"

const chain = `registries:
` + chainEntry

const chainEntry = `- accounts: ["` + fakeaws.SecondAccount + `"]
  assumeRoles:
  - arn: ` + hubRole + `
  - arn: ` + secondRole + `
    externalID: ` + fakeaws.ExampleExternalID + "\n"
