package cli

import (
	"context"
	"flag"
	"fmt"
	"reflect"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// explain says what the plugin would do for an image. It needs no network, so it
// also works away from a node.
func explain(conf *command.Configuration) func(*flag.FlagSet) command.Run {
	return func(flags *flag.FlagSet) command.Run {
		conf.Register(flags)
		q := question{}
		json := command.OutputFlag(flags)
		flags.Func("own", "the node's own `ACCOUNT`", func(s string) (err error) {
			q.own, err = registry.ParseAccount(s)
			return err
		})
		flags.StringVar(&q.expect, "expect", "", "exit 3 unless this `ENTRY` governs the image: a name such as registries[0], or none for no entry")
		q.pod.register(flags)
		return func(ctx context.Context, p Process, args []string) error {
			if len(args) != 1 {
				return command.UsageError("explain takes one image; run: %s explain IMAGE", Name)
			}
			q.image = args[0]
			a, err := q.answer(ctx, p, *conf)
			switch {
			case err != nil:
				return err
			case *json:
				err = a.printJSON(p)
			default:
				err = a.printText(p, len(conf.Roles) > 0)
			}
			if err == nil && q.expect != "" {
				err = a.compare(q.expect)
			}
			return err
		}
	}
}

// question holds the arguments of explain.
type question struct {
	image  string
	own    registry.Account // zero: not given
	pod    podFlags
	expect string
}

// answer holds the decisions of the configuration for an image.
type answer struct {
	question
	config config.Config
	// notECR says why the image is not in ECR. If it is nil, there are cases: one,
	// or two if the result depends on the node's own account.
	notECR error
	parsed registry.Image
	api    *awsapi.API
	cases  []decided
}

// decided is a decision, or the reason why the configuration yields no plan.
type decided struct {
	plan.Decision
	err error
}

func (q question) answer(ctx context.Context, p Process, conf command.Configuration) (a answer, err error) {
	a = answer{question: q}
	pod, err := q.pod.serviceAccount()
	if err != nil {
		return a, err
	}
	if a.config, err = conf.Load(p); err != nil {
		return a, err
	}
	if a.parsed, a.notECR = a.config.Image(q.image); a.notECR != nil {
		return a, nil
	}
	if a.api, err = awsapi.Load(ctx, p.AWS(a.config, nil)); err != nil {
		return a, err
	}
	owns := []registry.Account{q.own}
	if q.own.IsZero() && !a.parsed.Registry().Public() && a.config.Rules.DependsOnOwn(a.parsed) {
		owns = []registry.Account{a.parsed.Registry().Account(), {}}
	}
	for _, own := range owns {
		d := decided{}
		d.Decision, d.err = plan.Decide(a.config, a.parsed, own, pod)
		if len(a.cases) == 0 || !reflect.DeepEqual(a.cases[0], d) {
			a.cases = append(a.cases, d)
		}
	}
	return a, nil
}

// only returns the case if there is exactly one.
func (a answer) only() (decided, error) {
	if len(a.cases) > 1 {
		return decided{}, command.UsageError("which entry governs %s depends on the node's own account; name it with --own ACCOUNT", a.parsed)
	}
	return a.cases[0], nil
}

// compare returns an error if the governing entry is not the expected one. The
// expectation may be that no entry governs the image.
func (a answer) compare(entry string) error {
	if a.notECR != nil {
		return unexpected(entry, noEntry, "it is not in Amazon ECR: "+a.notECR.Error())
	}
	d, err := a.only()
	if err != nil {
		return err
	}
	if err := unexpected(entry, d.entryName(), d.Why); err != nil {
		return err
	}
	if d.err != nil {
		return &command.ExitError{Status: command.FoundProblem, Err: d.err}
	}
	return nil
}

// noEntry stands for images that no entry governs.
const noEntry = "none"

// entryName names what governs the image.
func (d decided) entryName() string {
	if d.Entry == nil {
		return noEntry
	}
	return d.Entry.Name
}

func unexpected(want, got, why string) error {
	if want == got {
		return nil
	}
	return &command.ExitError{Status: command.FoundProblem, Err: fmt.Errorf("expected entry %s, but the image has %s: %s", want, got, why)}
}
