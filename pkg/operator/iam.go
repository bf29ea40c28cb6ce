package operator

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/iamfile"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// iamCommand prints what each account must create.
func iamCommand(conf *command.Configuration) command.Command {
	return command.Command{
		Name:    "iam",
		Summary: "print the IAM policies that a configuration needs, on the nodes' side and on the images' side",
		Example: "iam --config minimal.yaml --node-role arn:aws:iam::111122223333:role/node",
		New: func(flags *flag.FlagSet) command.Run {
			conf.Register(flags)
			i := iamRun{format: writeJSON, facts: iampolicy.Facts{Audience: "sts.amazonaws.com"}}
			i.registerOutput(flags)
			i.registerFacts(flags)
			return func(ctx context.Context, p command.Process, args []string) error {
				if len(args) > 0 {
					return command.UsageError("iam takes no arguments")
				}
				c, err := conf.Load(p)
				if err != nil {
					return err
				}
				return i.run(ctx, p, c)
			}
		},
	}
}

// iamRun is one run of iam.
type iamRun struct {
	facts   iampolicy.Facts
	request iampolicy.Request
	format  func(io.Writer, []iampolicy.Item) error
}

// formats are the values of --format.
var formats = map[string]func(io.Writer, []iampolicy.Item) error{
	"json":           writeJSON,
	"cli":            iamfile.WriteScript,
	"terraform":      iamfile.WriteTerraform,
	"cloudformation": iamfile.WriteCloudFormation,
}

func (i *iamRun) registerOutput(flags *flag.FlagSet) {
	sides := []string{string(iampolicy.Nodes), string(iampolicy.Images), string(iampolicy.Endpoints)}
	command.Choice(flags, "side", "whose documents (`SIDE`): nodes, images or endpoints; both nodes and images if it is not given", sides, func(s string) error {
		i.request.Side = iampolicy.Side(s)
		if !slices.Contains(sides, s) {
			return fmt.Errorf("%q is not nodes, images or endpoints", printable.Short(s))
		}
		return nil
	})
	flags.Func("account", "the documents of one account `ID` only", parse(&i.request.Account, registry.ParseAccount))
	names := slices.Sorted(maps.Keys(formats))
	command.Choice(flags, "format", "`FORMAT` of the output: json (the default), cli, terraform or cloudformation", names, func(s string) error {
		if i.format = formats[s]; i.format == nil {
			return fmt.Errorf("%q is not json, cli, terraform or cloudformation", printable.Short(s))
		}
		return nil
	})
}

func (i *iamRun) registerFacts(flags *flag.FlagSet) {
	flags.Func("node-role", "the `ARN` of the nodes' role; may be given several times; on the images' side it can be a pattern such as arn:aws:iam::*:role/node*",
		add(&i.facts.NodeRoles, iampolicy.ParseNodeRole))
	flags.Func("organization", "the `ID` of the organization of nodes and images, o-…", parse(&i.facts.Organization, iampolicy.ParseOrganization))
	flags.Func("issuer", "the `URL` of the issuer of the cluster's service account tokens", parse(&i.facts.Issuer, iampolicy.ParseIssuer))
	flags.StringVar(&i.facts.Audience, "audience", i.facts.Audience, "the audience of the service account tokens, as in tokenAttributes")
	flags.Func("service-account", "a service account whose pods pull, `NAMESPACE/NAME=ROLE_ARN` with the role that its annotation names; may be given several times",
		add(&i.facts.ServiceAccounts, iampolicy.ParseServiceAccount))
	flags.Func("region", "the `REGION` of the nodes and of the endpoints of their VPC", parse(&i.facts.Region, registry.ParseRegion))
}

func parse[T any](to *T, parse func(string) (T, error)) func(string) error {
	return func(s string) (err error) {
		*to, err = parse(s)
		return err
	}
}

func add[T any](to *[]T, parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		item, err := parse(s)
		*to = append(*to, item)
		return err
	}
}

// run derives the documents and prints them.
func (i *iamRun) run(ctx context.Context, p command.Process, c config.Config) error {
	items, err := i.derive(ctx, p, c)
	if err != nil {
		return &command.ExitError{Status: command.Misused, Err: err}
	}
	if len(items) == 0 {
		return command.UsageError("the configuration needs no such documents%s", forAccount(i.request.Account))
	}
	var s strings.Builder
	if err := i.format(&s, items); err != nil {
		return &command.ExitError{Status: command.Misused, Err: err}
	}
	_, err = io.WriteString(p.Stdout, s.String())
	return err
}

func forAccount(a registry.Account) string {
	if a.IsZero() {
		return ""
	}
	return " in account " + a.String()
}

// derive derives the documents. It asks the node for its role and its region if
// they are needed and not given.
func (i *iamRun) derive(ctx context.Context, p command.Process, c config.Config) ([]iampolicy.Item, error) {
	asked := map[string]bool{}
	for {
		items, err := iampolicy.Derive(c, i.facts, i.request)
		fact, missing := iampolicy.IsMissing(err)
		if !missing || asked[fact] {
			return items, err
		}
		asked[fact] = true
		if why := i.ask(ctx, p, c, fact); why != nil {
			return nil, fmt.Errorf("%w (this machine does not provide it: %w)", err, why)
		}
	}
}

// ask asks the node for a fact. Only the node's role and region can be found this
// way.
func (i *iamRun) ask(ctx context.Context, p command.Process, c config.Config, fact string) error {
	if fact != "--node-role" && fact != "--region" || fact == "--node-role" && len(i.facts.NodeRoles) > 0 {
		return nil
	}
	api, err := awsapi.Load(ctx, p.AWS(c, nil))
	if err != nil {
		return err
	}
	node := identity.NewNode(api, p.Hostname)
	if fact == "--region" {
		i.facts.Region, err = node.Region(ctx)
		return err
	}
	caller, err := node.Caller(ctx)
	if err != nil {
		return err
	}
	role, err := iampolicy.ParseNodeRole(iampolicy.RoleOfSession(caller.ARN))
	i.facts.NodeRoles = []iampolicy.NodeRole{role}
	return err
}

// writeJSON writes all documents as one array.
func writeJSON(w io.Writer, items []iampolicy.Item) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(items)
}
