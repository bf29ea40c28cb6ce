package plan_test

import (
	"fmt"
	"reflect"
	"testing"

	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// TestEveryFieldChangesTheKey changes each field of a plan, one at a time and at
// any depth. Each change must give another key. Otherwise two plans could share a
// token.
func TestEveryFieldChangesTheKey(t *testing.T) {
	t.Parallel()
	full := fullPlan(t)
	keys := map[[32]byte]string{key(t, full, "source"): "the unchanged plan"}
	changes := 0
	change(t, reflect.ValueOf(&full).Elem(), "Plan", func(path string) {
		changes++
		k := key(t, full, "source")
		if same, ok := keys[k]; ok {
			t.Errorf("a change of %s: got the key of %s, want another", path, same)
		}
		keys[k] = path
	})
	if changes < 30 {
		t.Errorf("got %d changes, want at least 30", changes)
	}
	for _, source := range [][]string{nil, {""}, {"source", ""}, {"sourc", "e"}, {"other"}} {
		if k := key(t, full, source...); keys[k] != "" {
			t.Errorf("source %q: got the key of %s, want another", source, keys[k])
		}
	}
}

// fullPlan returns a plan in which only some bools are zero.
func fullPlan(t *testing.T) plan.Plan {
	t.Helper()
	role := func(n int) rule.Role {
		template := must(rule.ParseTemplate(fmt.Sprintf("session-%d-{node}", n), "node"))
		return rule.Role{
			ARN: fmt.Sprintf("arn:aws:iam::444455556666:role/role-%d", n), ExternalID: "external", SessionName: template, DurationSeconds: 3600,
			Tags:   []rule.Tag{{Key: "a", Value: template}, {Key: "b", Value: must(rule.ParseTemplate("b"))}},
			Policy: "{}",
		}
	}
	return plan.Plan{
		API: registry.API{Region: must(registry.ParseRegion("eu-west-1"))},
		ServiceAccount: &plan.ServiceAccount{Role: role(0), Claims: plan.Claims{
			Issuer: "i", Subject: "s", Audience: []string{"a", "b"}, Namespace: "n", ServiceAccount: "sa", UID: "u",
		}},
		Roles:           []rule.Role{role(1), role(2)},
		STSRegion:       must(registry.ParseRegion("eu-west-2")),
		NodeWhenRefused: true,
	}
}

// change changes each value below v, one at a time. It calls changed during each
// change.
func change(t *testing.T, v reflect.Value, path string, changed func(path string)) {
	t.Helper()
	try := func(what string, to any) {
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		v.Set(reflect.ValueOf(to).Convert(v.Type()))
		changed(path + what)
		v.Set(before)
	}
	switch value := v.Interface().(type) {
	case rule.Template:
		try(" = literal {node}", must(rule.ParseTemplate("other-{node}", "node")))
		try(" = without {node}", must(rule.ParseTemplate("session-1-node")))
		return
	case registry.Region:
		try("", must(registry.ParseRegion("ap-southeast-2")))
		return
	case string:
		try("", value+"x")
		return
	case int:
		try("", value+1)
		return
	case bool:
		try("", !value)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			change(t, v.Field(i), path+"."+v.Type().Field(i).Name, changed)
		}
	case reflect.Pointer:
		change(t, v.Elem(), path, changed)
		try(" = nil", reflect.Zero(v.Type()).Interface())
	case reflect.Slice:
		for i := range v.Len() {
			change(t, v.Index(i), fmt.Sprintf("%s[%d]", path, i), changed)
		}
		try(" shorter", v.Slice(0, v.Len()-1).Interface())
		try(" longer", reflect.Append(v, v.Index(0)).Interface())
	default:
		t.Fatalf("got kind %[2]s of %[1]s, want a kind that this test can change; add it", path, v.Kind())
	}
}

func key(t *testing.T, p plan.Plan, source ...string) [32]byte {
	t.Helper()
	k, err := p.Key(source)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
