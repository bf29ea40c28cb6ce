package install

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// These are the units that mint tokens before pods need them.
const (
	unitDir      = "/etc/systemd/system"
	refreshUnit  = "ecr-cross-account-refresh.service"
	refreshTimer = "ecr-cross-account-refresh.timer"
	bootTimer    = "ecr-cross-account-refresh-boot.timer"
)

var timers = []string{refreshTimer, bootTimer}

const refreshText = `# Written by ecr-cross-account install. Mints tokens for Amazon ECR before pods need them. Nothing waits for this unit: a
# kubelet that starts meanwhile asks for tokens itself, and shares the outcome.
[Unit]
Description=Refresh tokens for Amazon ECR registries of other accounts
Documentation=man:systemd.timer(5)

[Service]
Type=oneshot
%sExecStart=%s refresh --provider-config %s --provider %s
TimeoutStartSec=4min
Nice=10
NoNewPrivileges=yes
ProtectSystem=full
PrivateTmp=yes
`

const bootTimerText = `# Written by ecr-cross-account install. Starts the first run after boot. It is a timer, so that no boot target waits for the run.
[Unit]
Description=First refresh of tokens for Amazon ECR after boot

[Timer]
OnActiveSec=5s
AccuracySec=1s
Unit=ecr-cross-account-refresh.service

[Install]
WantedBy=timers.target
`

const refreshTimerText = `# Written by ecr-cross-account install. Every 5 to 10 minutes; the jitter keeps the nodes of a fleet apart.
[Unit]
Description=Refresh tokens for Amazon ECR registries of other accounts

[Timer]
OnActiveSec=5min
OnUnitActiveSec=5min
RandomizedDelaySec=290s
AccuracySec=1s

[Install]
WantedBy=timers.target
`

// addUnits plans the units and enables them, if the node has systemd and something can
// be refreshed.
func (p *plan) addUnits(entries []provider, c config.Config) error {
	entry, ok := entryOfNode(entries, c)
	if duty := p.node.withoutUnits(ok); duty != "" {
		p.duties = append(p.duties, duty)
		return nil
	}
	var environment strings.Builder
	for _, variable := range p.node.environ {
		fmt.Fprintf(&environment, "Environment=%s\n", quoted(variable))
	}
	service := fmt.Sprintf(refreshText, environment.String(), filepath.Join(p.layout.binDir, entry), p.layout.flag, entry)
	p.timers = timers
	for _, unit := range []struct{ name, text string }{{refreshUnit, service}, {refreshTimer, refreshTimerText}, {bootTimer, bootTimerText}} {
		if err := p.add(filepath.Join(unitDir, unit.name), object{mode: 0o644, content: []byte(unit.text)}); err != nil {
			return err
		}
	}
	for _, timer := range timers {
		if err := p.add(filepath.Join(unitDir, "timers.target.wants", timer), object{link: filepath.Join(unitDir, timer)}); err != nil {
			return err
		}
	}
	return nil
}

// withoutUnits returns why the node gets no units, and what the operator can do. It is
// empty if the node gets units. refreshable says that there is something to refresh.
func (n *node) withoutUnits(refreshable bool) string {
	switch {
	case !n.disk.exists("/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/run/systemd/system"):
		return "without systemd nothing refreshes tokens ahead of time; run refresh every 5 minutes (config-examples/refresh)"
	case !refreshable:
		return "nothing can be refreshed ahead of time: the cache is off, or every entry starts with a pod's service account"
	case slices.ContainsFunc(n.environ, hasCredential):
		return "the kubelet's environment has static AWS credentials, which belong in no unit; " +
			"so nothing is refreshed ahead of time; put them into a profile on the node, and name it in node.profile"
	case slices.ContainsFunc(n.environ, hasLogin):
		return "the kubelet's environment has a proxy with a user or a password, which belong in no unit; so nothing is refreshed " +
			"ahead of time; run refresh every 5 minutes with the kubelet's environment (config-examples/refresh)"
	}
	return ""
}

// quoted quotes a variable for a unit (systemd.syntax(7)). Otherwise a percent sign
// would start a specifier, and a line break would end the setting.
func quoted(variable string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "\n", `\n`, "\r", `\r`).Replace(variable) + `"`
}

// entryOfNode returns the name of the provider that serves registries with the node's
// own identity. It reports false if there is nothing to refresh.
func entryOfNode(entries []provider, c config.Config) (string, bool) {
	if c.Cache.Named && c.Cache.Directory == "" {
		return "", false
	}
	for _, e := range c.Rules.Entries() {
		if ofNode(e) {
			return entries[0].Name, true
		}
	}
	return "", false
}

func ofNode(e rule.Entry) bool { return e.ServiceAccount == nil }

// startTimers starts the timers of the new units.
func (i *Installer) startTimers(ctx context.Context, p *plan) error {
	if i.Services == nil || len(p.timers) == 0 || p.uninstall {
		return nil
	}
	if err := i.reload(ctx); err != nil {
		return err
	}
	return i.Services.Start(ctx, p.timers...)
}

// stopTimers stops the timers whose units will be removed.
func (i *Installer) stopTimers(ctx context.Context, changes []change) error {
	var going []string
	for _, c := range changes {
		for _, timer := range timers {
			if c.path == filepath.Join(unitDir, timer) && c.new.absent() && !c.old.absent() {
				going = append(going, timer)
			}
		}
	}
	if i.Services == nil || len(going) == 0 {
		return nil
	}
	return i.Services.Stop(ctx, going...)
}

// reload makes systemd read changed units.
func (i *Installer) reload(ctx context.Context) error {
	if i.Services == nil {
		return nil
	}
	return i.Services.Reload(ctx)
}
