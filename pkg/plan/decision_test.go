package plan_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/secret"
)

const head = "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"

func load(t *testing.T, text string) config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(head+text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func image(t *testing.T, name string) registry.Image {
	t.Helper()
	parsed, ok := registry.Parse(name)
	if !ok {
		t.Fatalf("got no ECR image from %s, want one", name)
	}
	return parsed
}

// jwt returns a token with claims. Its signature is invalid, but a plan does not
// verify it.
func jwt(claims string) secret.Text {
	return secret.New("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x")
}

var webPod = kubelet.ServiceAccount{
	Annotations: map[string]string{"eks.amazonaws.com/ecr-role-arn": "arn:aws:iam::777788889999:role/pull-web"},
	Token:       jwt(`{"iss":"https://oidc.example.com","sub":"system:serviceaccount:shop:web","aud":["sts.amazonaws.com"],"kubernetes.io":{"namespace":"shop","serviceaccount":{"name":"web","uid":"u1"}}}`),
}

const mixed = `registries:
- accounts: ["444455556666"]
  repositories: [team-a/]
  assumeRoles:
  - arn: arn:{partition}:iam::{account}:role/hub
    duration: 2h
  - arn: arn:aws:iam::444455556666:role/team-a-{region}
    externalID: images
    sessionName: "pull-{node}"
    sessionTags: {cluster: "prod-{account}-{node}", team: a}
    policy: PullOnly
  whenRefused: Node
- accounts: ["444455556666"]
- accounts: ["777788889999"]
  source: ServiceAccount
  serviceAccount: {allowedRoles: ["arn:aws:iam::777788889999:role/pull-*"], whenNoToken: Node}
  assumeRoles:
  - arn: arn:aws:iam::777788889999:role/last
    sessionTags: {who: "{namespace}/{serviceAccount}@{node}"}
- accounts: ["*"]
  exceptAccounts: [own]
  assumeRoles:
  - arn: arn:{partition}:iam::{account}:role/ecr-pull
sts: {region: Registry}
`

// TestDecide compares whole plans in the JSON form that explain prints.
func TestDecide(t *testing.T) {
	t.Parallel()
	const (
		teamA  = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
		shop   = "777788889999.dkr.ecr.eu-west-1.amazonaws.com"
		third  = "000000000012.dkr-ecr-fips.us-east-1.on.aws"
		policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken"],"Resource":["*"]},` +
			`{"Effect":"Allow","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability"],"Resource":["arn:aws:ecr:eu-west-1:444455556666:repository/team-a/*"]}]}`
	)
	last := `{"arn":"arn:aws:iam::777788889999:role/last","sessionName":"{node}","durationSeconds":3600,"sessionTags":[{"key":"who","value":"shop/web@{node}"}]}`
	tests := []struct {
		name, image string
		pod         *kubelet.ServiceAccount
		entry, key  string
		scope       kubelet.Scope
		plan        string
	}{
		{
			"two hops", teamA + "/team-a/app:1", nil, "registries[0]", teamA + "/team-a/app", kubelet.ForImage,
			`{"api":{"region":"eu-west-1"},"assumeRoles":[` +
				`{"arn":"arn:aws:iam::444455556666:role/hub","sessionName":"{node}","durationSeconds":7200},` +
				`{"arn":"arn:aws:iam::444455556666:role/team-a-eu-west-1","externalID":"images","sessionName":"pull-{node}","durationSeconds":3600,` +
				`"sessionTags":[{"key":"cluster","value":"prod-444455556666-{node}"},{"key":"team","value":"a"}],"policy":` + quote(policy) + `}],` +
				`"stsRegion":"eu-west-1","nodeWhenRefused":true}`,
		},
		{"a path that begins like a URL of an API", teamA + "/v2/app", nil, "registries[1]", teamA + "/v2/v2/app", kubelet.ForImage, `{"api":{"region":"eu-west-1"}}`},
		{"no roles", teamA + ":443/other", nil, "registries[1]", teamA + ":443/other", kubelet.ForImage, `{"api":{"region":"eu-west-1"}}`},
		{
			"service account", shop + "/app", &webPod, "registries[2]", shop, kubelet.ForRegistry,
			`{"api":{"region":"eu-west-1"},"serviceAccount":{"role":{"arn":"arn:aws:iam::777788889999:role/pull-web","sessionName":"shop.web","durationSeconds":3600},` +
				`"claims":{"iss":"https://oidc.example.com","sub":"system:serviceaccount:shop:web","aud":["sts.amazonaws.com"],"namespace":"shop","serviceAccount":"web","uid":"u1"}},` +
				`"assumeRoles":[` + last + `],"stsRegion":"eu-west-1"}`,
		},
		{"service account without a token", shop + "/app", &kubelet.ServiceAccount{}, "registries[2]", shop, kubelet.ForRegistry, `{"api":{"region":"eu-west-1"}}`},
		{
			"any pod", shop + "/app", nil, "registries[2]", shop, kubelet.ForRegistry,
			`{"api":{"region":"eu-west-1"},"serviceAccount":{"role":{"arn":"","sessionName":"{namespace}.{serviceAccount}","durationSeconds":3600}},` +
				`"assumeRoles":[` + strings.Replace(last, "shop/web@", "{namespace}/{serviceAccount}@", 1) + `],"stsRegion":"eu-west-1"}`,
		},
		{
			"wildcard, FIPS and dual-stack", third + "/app", nil, "registries[3]", third, kubelet.ForRegistry,
			`{"api":{"region":"us-east-1","fips":true,"dualStack":true},"assumeRoles":[{"arn":"arn:aws:iam::000000000012:role/ecr-pull","sessionName":"{node}","durationSeconds":3600}],"stsRegion":"us-east-1"}`,
		},
		{"own account, excepted", "111122223333.dkr.ecr.us-east-1.amazonaws.com/app", nil, "unmatched: Node", "111122223333.dkr.ecr.us-east-1.amazonaws.com", kubelet.ForRegistry, `{"api":{"region":"us-east-1"}}`},
		{"ECR Public", "public.ecr.aws/x/y", nil, "ECR Public", "public.ecr.aws", kubelet.ForRegistry, `{"api":{"region":"us-east-1","public":true}}`},
		{"ECR Public's other host", "ecr-public.aws.com/x/y", nil, "ECR Public", "ecr-public.aws.com", kubelet.ForRegistry, `{"api":{"region":"us-east-1","public":true}}`},
	}
	c := load(t, mixed)
	own := must(registry.ParseAccount("111122223333"))
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, err := plan.Decide(c, image(t, test.image), own, test.pod)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := json.Marshal(d.Plan)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{d.Entry.Name, d.AuthKey(image(t, test.image)), string(d.Scope()), string(encoded)}
			if diff := cmp.Diff([]string{test.entry, test.key, string(test.scope), test.plan}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func quote(s string) string {
	quoted, _ := json.Marshal(s)
	return string(quoted)
}

// TestDecideLeavesToOthers: with unmatched: None, there is no plan for unmatched
// registries and for ECR Public.
func TestDecideLeavesToOthers(t *testing.T) {
	t.Parallel()
	c := load(t, "registries:\n- accounts: [\"444455556666\"]\n  repositories: [team-a/]\nunmatched: None\n")
	for name, scope := range map[string]kubelet.Scope{
		"444455556666.dkr.ecr.eu-west-1.amazonaws.com/other": kubelet.ForImage,
		"777788889999.dkr.ecr.eu-west-1.amazonaws.com/app":   kubelet.ForRegistry,
		"public.ecr.aws/x/y": kubelet.ForRegistry,
	} {
		d, err := plan.Decide(c, image(t, name), registry.Account{}, &kubelet.ServiceAccount{})
		if err != nil || d.Entry != nil || d.Scope() != scope {
			t.Errorf("%s: got entry %v, scope %s, %v; want no entry, scope %s", name, d.Entry, d.Scope(), err, scope)
		}
	}
}

// TestDecideErrors: if the configuration has no plan, the error names the registry
// and the entry. There is no fallback.
func TestDecideErrors(t *testing.T) {
	t.Parallel()
	const shop = "777788889999.dkr.ecr.eu-west-1.amazonaws.com/app"
	c := load(t, strings.Replace(mixed, ", whenNoToken: Node", "", 1))
	pod := func(annotation string, token secret.Text) kubelet.ServiceAccount {
		return kubelet.ServiceAccount{Annotations: map[string]string{"eks.amazonaws.com/ecr-role-arn": annotation}, Token: token}
	}
	tests := []struct {
		name, image string
		pod         kubelet.ServiceAccount
		want        string
	}{
		{"no token", shop, kubelet.ServiceAccount{}, "(registries[2]): the request has no service account token; set tokenAttributes"},
		{"no annotation", shop, kubelet.ServiceAccount{Token: webPod.Token}, "(registries[2]): the service account has no annotation eks.amazonaws.com/ecr-role-arn"},
		{"empty annotation", shop, pod("", webPod.Token), "is empty"},
		{"a role that is not allowed", shop, pod("arn:aws:iam::777788889999:role/admin", webPod.Token), "is not one of allowedRoles"},
		{"role of another account", shop, pod("arn:aws:iam::444455556666:role/pull-web", webPod.Token), "is not one of allowedRoles"},
		{"not a JWT", shop, pod("arn:aws:iam::777788889999:role/pull-web", secret.New("hunter2")), "the request's service account token is not a JWT"},
		{"hostile claims", shop, pod("arn:aws:iam::777788889999:role/pull-web", jwt(`{"sub":"system:serviceaccount:{node}:x"}`)), `session tag "who": "{node}/x@": a value has`},
		{"role of another partition", "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/team-a/x", kubelet.ServiceAccount{}, "(registries[0]): role arn:aws:iam::444455556666:role/team-a-{region} is in partition aws and the registry in aws-cn"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, err := plan.Decide(c, image(t, test.image), registry.Account{}, &test.pod)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "no credentials for registry ") {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got the token in %v", err)
			}
			if diff := cmp.Diff(plan.Plan{}, d.Plan, cmp.AllowUnexported(registry.Region{})); diff != "" {
				t.Errorf("got a plan beside the error (-want +got)\n%s", diff)
			}
		})
	}
}

// TestStockRole: the variable of the stock plugin names the role of service
// accounts without an annotation. Without a token it does nothing, and a warning
// says so.
func TestStockRole(t *testing.T) {
	t.Parallel()
	c, err := config.Default().WithStockRole("arn:aws:iam::777788889999:role/stock")
	if err != nil {
		t.Fatal(err)
	}
	shop := image(t, "777788889999.dkr.ecr.eu-west-1.amazonaws.com/app")
	with, err := plan.Decide(c, shop, registry.Account{}, &kubelet.ServiceAccount{Token: webPod.Token})
	if err != nil || with.Plan.Identity() != "arn:aws:iam::777788889999:role/stock" || with.Warning != "" {
		t.Errorf("with a token: got %s, warning %q, %v; want the stock role and no warning", with.Plan.Identity(), with.Warning, err)
	}
	without, err := plan.Decide(c, shop, registry.Account{}, &kubelet.ServiceAccount{})
	if err != nil || without.Plan.AssumesRoles() || !strings.HasPrefix(without.Warning, "$AWS_ECR_ROLE_ARN is set, but") {
		t.Errorf("without a token: got %+v, warning %q, %v; want no roles, and a warning", without.Plan, without.Warning, err)
	}
}

// TestOfEntry: the plan of an entry equals the plan of an image that the entry
// governs.
func TestOfEntry(t *testing.T) {
	t.Parallel()
	c := load(t, `sts: {region: Registry}
registries:
- accounts: ["444455556666"]
  repositories: [team-a/]
  assumeRoles: [{arn: "arn:{partition}:iam::{account}:role/pull-{region}", policy: PullOnly, externalID: x1}]
  whenRefused: Node
- accounts: ["777788889999"]
- accounts: ["123456789012"]
  source: ServiceAccount
  serviceAccount: {allowedRoles: ["arn:aws:iam::123456789012:role/pull"], whenNoToken: Node}
`)
	images := []string{
		"444455556666.dkr.ecr.eu-west-1.amazonaws.com/team-a/app", "777788889999.dkr.ecr.eu-west-1.amazonaws.com/app", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app",
	}
	for i, entry := range c.Rules.Entries() {
		want, err := plan.Decide(c, image(t, images[i]), registry.Account{}, &kubelet.ServiceAccount{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := plan.OfEntry(c, &entry, image(t, images[i]).Registry())
		if err != nil {
			t.Fatal(err)
		}
		one, _ := json.Marshal(got)
		two, _ := json.Marshal(want.Plan)
		if diff := cmp.Diff(string(two), string(one)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	foreign := load(t, "registries:\n- accounts: [\"444455556666\"]\n  assumeRoles: [{arn: \"arn:aws-cn:iam::444455556666:role/pull\"}]\n").Rules.Entries()[0]
	_, err := plan.OfEntry(c, &foreign, image(t, images[0]).Registry())
	if err == nil || !strings.Contains(err.Error(), "no credentials for registry 444455556666.dkr.ecr.eu-west-1.amazonaws.com (registries[0]): role") {
		t.Errorf("a role of another partition: got %v, want an error with the registry and the entry", err)
	}
}
