package fakeaws

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// roleNamed finds a role of an account by its name, with any path.
func (w *World) roleNamed(account, name string) (Role, *apiError) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for arn, role := range w.roles {
		if accountOf(arn) == account && arn[strings.LastIndex(arn, "/")+1:] == name {
			return role, nil
		}
	}
	return Role{}, noSuchEntity("The role with name %s cannot be found.", name)
}

// changeRole changes a role if its policies are still valid after the change.
func (w *World) changeRole(account, name string, change func(*Role)) (string, *apiError) {
	role, refusal := w.roleNamed(account, name)
	if refusal != nil {
		return "", refusal
	}
	role.Policies, role.Tags = maps.Clone(role.Policies), maps.Clone(role.Tags)
	change(&role)
	return "", w.keepRole(role)
}

// keepRole stores a role if its policies are valid and the principals of its trust
// policy exist. IAM requires existing principals, because it stores their IDs.
func (w *World) keepRole(r Role) *apiError {
	if err := r.check(); err != nil {
		return malformed(err)
	}
	if who := w.missingPrincipal(r.trustPolicy()); who != "" {
		return malformed(fmt.Errorf("Invalid principal in policy: %q:%q", "AWS", who)) //nolint:staticcheck // IAM's own words
	}
	w.SetRole(r)
	return nil
}

func (r Role) xml() string {
	_, name, _ := strings.Cut(strings.SplitN(r.ARN, ":", 6)[5], "/")
	path := "/"
	if i := strings.LastIndex(name, "/"); i >= 0 {
		path, name = "/"+name[:i+1], name[i+1:]
	}
	seconds := int(max(r.MaxSession, time.Hour) / time.Second)
	return "<Role>" + element("Path", path) + element("RoleName", name) + element("RoleId", "AROAEXAMPLE") + element("Arn", r.ARN) +
		element("CreateDate", "2026-01-01T00:00:00Z") + element("AssumeRolePolicyDocument", urlEncoded(r.trustPolicy().json())) +
		element("MaxSessionDuration", fmt.Sprint(seconds)) + tagsXML(r.Tags) + "</Role>"
}

func getRole(w *World, account string, form url.Values) (string, *apiError) {
	role, refusal := w.roleNamed(account, form.Get("RoleName"))
	return role.xmlUnless(refusal), refusal
}

func (r Role) xmlUnless(refusal *apiError) string {
	if refusal != nil {
		return ""
	}
	return r.xml()
}

func createRole(w *World, account string, form url.Values) (string, *apiError) {
	name := form.Get("RoleName")
	if _, refusal := w.roleNamed(account, name); refusal == nil {
		return "", &apiError{http.StatusConflict, "EntityAlreadyExists", "Role with name " + name + " already exists."}
	}
	path := cmp.Or(form.Get("Path"), "/")
	role := Role{
		ARN: "arn:" + w.partition() + ":iam::" + account + ":role" + path + name, TrustPolicy: form.Get("AssumeRolePolicyDocument"),
		Policies: map[string]string{}, Tags: tagsOf(form), MaxSession: secondsOf(form),
	}
	return role.xml(), w.keepRole(role)
}

func secondsOf(form url.Values) time.Duration {
	seconds, _ := time.ParseDuration(form.Get("MaxSessionDuration") + "s") // 0 if empty
	return seconds
}

func updateRole(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) { r.MaxSession = cmp.Or(secondsOf(form), r.MaxSession) })
}

func updateTrust(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) { r.TrustPolicy = form.Get("PolicyDocument") })
}

func putRolePolicy(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) {
		if r.Policies == nil {
			r.Policies = map[string]string{}
		}
		r.Policies[form.Get("PolicyName")] = form.Get("PolicyDocument")
	})
}

func deleteRolePolicy(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) { delete(r.Policies, form.Get("PolicyName")) })
}

func getRolePolicy(w *World, account string, form url.Values) (string, *apiError) {
	role, refusal := w.roleNamed(account, form.Get("RoleName"))
	if refusal != nil {
		return "", refusal
	}
	name := form.Get("PolicyName")
	text, ok := role.Policies[name]
	if !ok {
		return "", noSuchEntity("The role policy with name %s cannot be found.", name)
	}
	return element("RoleName", form.Get("RoleName")) + element("PolicyName", name) + element("PolicyDocument", urlEncoded(text)), nil
}

func listRolePolicies(w *World, account string, form url.Values) (string, *apiError) {
	role, refusal := w.roleNamed(account, form.Get("RoleName"))
	var s strings.Builder
	for _, name := range slices.Sorted(maps.Keys(role.Policies)) {
		s.WriteString(element("member", name))
	}
	return "<PolicyNames>" + s.String() + "</PolicyNames>" + element("IsTruncated", "false"), refusal
}

func listRoleTags(w *World, account string, form url.Values) (string, *apiError) {
	role, refusal := w.roleNamed(account, form.Get("RoleName"))
	return tagsXML(role.Tags) + element("IsTruncated", "false"), refusal
}

func tagRole(w *World, account string, form url.Values) (string, *apiError) {
	return w.changeRole(account, form.Get("RoleName"), func(r *Role) {
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		maps.Copy(r.Tags, tagsOf(form))
	})
}
