package iamfile

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
)

// object is an object in a template.
type object map[string]any

// WriteCloudFormation writes a template in JSON.
func WriteCloudFormation(w io.Writer, items []iampolicy.Item) error {
	f, err := newFile(items)
	if err == nil {
		err = f.only("cloudformation")
	}
	if err != nil {
		return err
	}
	parameters, resources := object{}, object{}
	var providers []string
	for n, provider := range f.providers {
		id := fmt.Sprintf("Cluster%dProvider", n+1)
		providers = append(providers, id)
		resources[id] = resource("AWS::IAM::OIDCProvider", object{"Url": provider.Provider.URL, "ClientIdList": provider.Provider.ClientIDList, "Tags": tags()})
	}
	for n, r := range f.roles {
		id := logicalID(r.id)
		parameters[id+"RoleName"] = parameter("The name of the role. The nodes' configuration has it, too.", r.name)
		made := resource("AWS::IAM::Role", r.properties(id+"RoleName"))
		depends := slices.Clone(providers) // IAM checks that the principals of a trust policy exist
		for _, earlier := range f.roles[:n] {
			if r.trusts(earlier) {
				depends = append(depends, logicalID(earlier.id)+"Role")
			}
		}
		if len(depends) > 0 {
			made["DependsOn"] = depends
		}
		resources[id+"Role"] = made
	}
	for _, r := range f.nodes {
		id := logicalID(r.id)
		parameters[id+"RoleName"] = parameter("The name of the nodes' existing role.", r.name)
		resources[id+"Policy"] = resource("AWS::IAM::Policy", object{
			"PolicyName": r.policyName, "PolicyDocument": r.permissions, "Roles": []object{{"Ref": id + "RoleName"}},
		})
	}
	text, err := pretty(object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "For account " + f.account + ", by ecr-cross-account iam.",
		"Parameters":               parameters,
		"Resources":                resources,
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text+"\n")
	return err
}

// properties returns the properties of the role. The value of the given parameter is the
// role's name.
func (r role) properties(parameter string) object {
	p := object{
		"RoleName": object{"Ref": parameter}, "Path": r.path, "MaxSessionDuration": r.seconds,
		"AssumeRolePolicyDocument": r.trust, "Tags": tags(),
	}
	if r.permissions != nil {
		p["Policies"] = []object{{"PolicyName": r.policyName, "PolicyDocument": r.permissions}}
	}
	return p
}

func resource(kind string, properties object) object {
	return object{"Type": kind, "Properties": properties}
}

func parameter(description, value string) object {
	return object{"Type": "String", "Description": description, "Default": value}
}

func tags() []object { return []object{{"Key": TagKey, "Value": TagValue}} }

// logicalID turns an identifier into letters and digits: ecr_pull becomes EcrPull.
func logicalID(id string) string {
	var s strings.Builder
	for part := range strings.SplitSeq(id, "_") {
		if part != "" {
			s.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return s.String()
}
