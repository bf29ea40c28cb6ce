package install

import (
	"slices"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// anyAccount stands for all accounts in a pattern.
const anyAccount = "*"

// patterns are what the kubelet must ask the plugin for: with a pod's token, and
// without.
type patterns struct{ node, pods []string }

// patternsOf derives the patterns from a configuration. Beside another provider they
// cover the accounts and mirrors that it names, instead of it all of ECR.
func patternsOf(c config.Config, instead bool) patterns {
	entries := c.Rules.Entries()
	wildcard := instead || slices.ContainsFunc(entries, func(e rule.Entry) bool { return e.Accounts.All || e.Accounts.Own })
	pods := podAccounts(entries)
	var p patterns
	add := func(account string, hosts ...string) {
		// A kubelet asks every provider with a pattern that fits. Without the pod's token
		// the plugin would fail for an entry that needs it. So a pattern for all accounts
		// leaves room for one provider only.
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

// accountsOf returns the accounts of an entry as patterns have them. The node's own
// account has a number that only the node knows.
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

// partitionsOf returns the partitions of an entry's registries: all that its regions
// and its roles leave.
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

// withoutCovered removes duplicates, and patterns of accounts where all accounts have
// the same pattern.
func withoutCovered(list []string) []string {
	var kept []string
	for _, pattern := range list {
		if !slices.Contains(kept, pattern) && (pattern[0] == '*' || !slices.Contains(list, anyAccount+afterAccount(pattern))) {
			kept = append(kept, pattern)
		}
	}
	return kept
}

// afterAccount cuts the 12 digits of an account.
func afterAccount(pattern string) string {
	if len(pattern) > 12 && pattern[12] == '.' {
		return pattern[12:]
	}
	return pattern
}
