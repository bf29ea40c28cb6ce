package fakeaws

import "fmt"

// organization is an account's place in an organization.
type organization struct{ id, path string }

// SetOrganization puts an account into an organization. The path is that of its
// organizational unit, such as o-abcdefghij/r-root/ou-unit/.
func (w *World) SetOrganization(account, id, path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.organizations[account] = organization{id, path}
}

// action returns an action of a caller, with the condition keys that AWS would set.
func (w *World) action(name, resource, resourceAccount string, caller Credentials) action {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := action{name: name, resource: resource, caller: caller.Principal, role: caller.Role, keys: map[string][]string{}}
	set := func(key, value string) {
		if value != "" {
			a.keys[key] = []string{value}
		}
	}
	if caller.Principal != "" {
		of := w.organizations[accountOf(caller.Role)]
		set("aws:principalarn", caller.Role)
		set("aws:principalaccount", accountOf(caller.Role))
		set("aws:principalorgid", of.id)
		set("aws:principalorgpaths", of.path)
	}
	for _, key := range booleans { // callers use TLS, and are not services
		set(key, fmt.Sprint(key == "aws:securetransport"))
	}
	set("aws:resourceaccount", resourceAccount)
	set("aws:resourceorgid", w.organizations[resourceAccount].id)
	return a
}
