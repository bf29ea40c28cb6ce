package install

import (
	"slices"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// anyAccount means all accounts in a pattern.
const anyAccount = "*"

// patterns are the images for which the kubelet must ask the plugin: without a pod's
// token (node), and with it (pods).
type patterns struct{ node, pods []string }

// patternsOf derives the patterns from a configuration. If the plugin replaces the
// stock provider, the patterns cover all of ECR. Otherwise they cover only the accounts
// and mirrors that the configuration names.
func patternsOf(c config.Config, instead bool) patterns {
	entries := c.Rules.Entries()
	wildcard := instead || slices.ContainsFunc(entries, func(e rule.Entry) bool { return e.Accounts.All || e.Accounts.Own })
	pods := podAccounts(entries)
	var p patterns
	add := func(account string, hosts ...string) {
		// A kubelet asks every provider with a matching pattern. Without the pod's
		// token, the plugin would fail for an entry that needs it. So if a pattern
		// matches all accounts, there can be only one provider.
		list := &p.node
		if len(pods) > 0 && (wildcard || slices.Contains(pods, account)) {
			list = &p.pods
		}
		*list = append(*list, hosts...)
	}
	for _, e := range entries {
		for _, account := range accountsOf(e) {
			for _, partition := range partitionsOf(e) {
				add(account, registry.HostPatterns(account, partition)...)
			}
		}
	}
	if instead {
		for _, partition := range registry.Partitions() {
			add(anyAccount, registry.HostPatterns(anyAccount, partition)...)
		}
		add(anyAccount, registry.PublicHosts()...)
	}
	for _, m := range c.Mirrors {
		add(m.Registry().Account().String(), m.Host())
	}
	return patterns{withoutCovered(p.node), withoutCovered(p.pods)}
}

// accountsOf returns the accounts of an entry in the form of patterns. Only the node
// knows the number of its own account.
func accountsOf(e rule.Entry) (accounts []string) {
	if e.Accounts.All || e.Accounts.Own {
		return []string{anyAccount}
	}
	for _, account := range e.Accounts.Named {
		accounts = append(accounts, account.String())
	}
	return accounts
}

// podAccounts returns the accounts of entries whose source is a service account.
func podAccounts(entries []rule.Entry) (accounts []string) {
	for _, e := range entries {
		if e.ServiceAccount != nil {
			accounts = append(accounts, accountsOf(e)...)
		}
	}
	return accounts
}

// partitionsOf returns the partitions that an entry's registries can be in. The entry's
// regions and roles limit them.
func partitionsOf(e rule.Entry) []registry.Partition {
	return slices.DeleteFunc(registry.Partitions(), func(p registry.Partition) bool {
		elsewhere := len(e.Regions) > 0 && !slices.ContainsFunc(e.Regions, func(r registry.RegionPattern) bool {
			return slices.Contains(r.Partitions(), p)
		})
		foreign := slices.ContainsFunc(e.Roles, func(r rule.RoleTemplate) bool {
			fixed, ok := r.Partition()
			return ok && fixed != p
		})
		return elsewhere || foreign || e.ServiceAccount != nil && !startsIn(*e.ServiceAccount, p)
	})
}

// startsIn reports whether a pod's role can be in a partition.
func startsIn(s rule.ServiceAccount, p registry.Partition) bool {
	if s.AnyRole || s.NodeWhenNoToken || s.NodeWhenNoRole || s.RoleARN != nil {
		return true
	}
	return slices.ContainsFunc(s.AllowedRoles, func(r rule.RolePattern) bool {
		fixed, ok := r.Partition()
		return !ok || fixed == p
	})
}

// withoutCovered removes duplicates. It also removes the pattern of one account if the
// list has the same pattern for all accounts.
func withoutCovered(list []string) []string {
	var kept []string
	for _, pattern := range list {
		if !slices.Contains(kept, pattern) && (pattern[0] == '*' || !slices.Contains(list, anyAccount+afterAccount(pattern))) {
			kept = append(kept, pattern)
		}
	}
	return kept
}

// afterAccount removes the 12 digits of an account from the start of a pattern.
func afterAccount(pattern string) string {
	if len(pattern) > 12 && pattern[12] == '.' {
		return pattern[12:]
	}
	return pattern
}
