package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// apply carries out the plan. If anything fails before applyLast, apply undoes the
// changes. If applyLast fails, the next run completes the work.
func (i *Installer) apply(ctx context.Context, p *plan, restart bool) error {
	restart = restart && (p.changes() || p.before.Pending)
	if !p.changes() && !restart && !p.uninstall {
		return i.say("nothing to change")
	}
	if restart {
		if err := i.restartable(ctx, p); err != nil {
			return usage(err)
		}
	}
	after, err := p.writeAhead()
	if err == nil {
		err = i.applyFirst(ctx, p)
	}
	if err != nil {
		return withCleanup(err, p.writeBack())
	}
	if restart {
		if err := i.restart(ctx, p); err != nil {
			return err
		}
		after.Pending = false
	}
	if err := i.applyLast(ctx, p, after); err != nil {
		return err
	}
	return i.say("%s", p.done)
}

// applyFirst makes the changes that come before a restart.
func (i *Installer) applyFirst(ctx context.Context, p *plan) error {
	d := p.node.disk
	if err := d.perform(p.first, func() error { return i.runs(ctx, p) }); err != nil {
		return err
	}
	if err := i.startTimers(ctx, p); err != nil {
		return withCleanup(err, d.undo(p.first))
	}
	return nil
}

// applyLast makes the changes that must wait until no kubelet uses the former files,
// and writes the final state.
func (i *Installer) applyLast(ctx context.Context, p *plan, after state) error {
	d := p.node.disk
	if err := i.stopTimers(ctx, p.last); err != nil {
		return err
	}
	if err := d.perform(p.last, nil); err != nil {
		return err
	}
	if p.uninstall && len(after.Files) == 0 {
		return errors.Join(d.removeAll(cacheDir), d.forget(p.before), i.reload(ctx))
	}
	return errors.Join(d.writeState(after), d.forgetFormer(after))
}

// runs returns an error if the staged plugin does not run.
func (i *Installer) runs(ctx context.Context, p *plan) error {
	for _, c := range p.first {
		if c.path == p.plugin && c.needed() {
			out, err := i.Execute(ctx, p.node.disk.at(staged(c.path)), "version")
			if err == nil && !strings.HasPrefix(out, pluginName+" ") {
				return usage(fmt.Errorf("the plugin's file is another program: it prints %q as its version; name the plugin with --plugin FILE", printable.Short(out)))
			}
			if err != nil {
				return fmt.Errorf("the plugin does not run in %s: %w; is it for this architecture, and may programs run there?", p.layout.binDir, err)
			}
		}
	}
	return nil
}

// writeAhead records what an install is about to do. If the install is interrupted, the
// next run can undo it. An uninstall needs no new record. writeAhead returns the state
// after the run.
func (p *plan) writeAhead() (state, error) {
	d := p.node.disk
	if p.uninstall {
		after := p.before
		after.Files = p.kept
		return after, nil
	}
	dirs := d.missing(formerDir)
	if err := d.makeDirs(dirs); err != nil {
		return state{}, err
	}
	for _, c := range p.first {
		for _, dir := range d.missing(filepath.Dir(c.path)) {
			if !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	after := state{
		Platform: p.node.platform.name, ProviderConfig: p.layout.flag, BinDir: p.layout.binDir, Pending: p.before.Pending || p.changes(),
		Directories: append(slices.Clone(p.before.Directories), dirs...), Files: slices.Clone(p.kept),
	}
	ahead := after
	ahead.Files = append(slices.Clone(ahead.Files), p.superseded...)
	for _, c := range p.first {
		if _, known := p.before.find(c.path); !known && !c.needed() {
			continue // not ours
		}
		r, err := d.recorded(p.before, c)
		if err != nil {
			return after, err
		}
		mine := c.new.fingerprint()
		r.Ours = append(slices.Clone(r.Ours), mine)
		ahead.Files = append(ahead.Files, r)
		r.Ours = []string{mine}
		after.Files = append(after.Files, r)
	}
	if err := d.writeState(ahead); err != nil {
		return after, err
	}
	return after, d.makeDirs(dirs)
}

// allUndone reports whether the first changes are undone: each path has its former object.
func (p *plan) allUndone() bool {
	return !slices.ContainsFunc(p.first, func(c change) bool {
		now, err := p.node.disk.read(c.path)
		return err != nil || now.fingerprint() != c.old.fingerprint()
	})
}

// writeBack writes the state from before the run. If a change is not undone, the state
// that was written ahead stays. With it, the next run finds the former files.
func (p *plan) writeBack() error {
	if !p.allUndone() {
		return nil
	}
	d := p.node.disk
	if len(p.before.Files) > 0 {
		return d.writeState(p.before)
	}
	written, err := d.readState()
	if err != nil {
		return err
	}
	return d.forget(written)
}

// forget removes the state, and the empty directories among those that install made.
func (d disk) forget(s state) error {
	for _, r := range s.Files {
		if err := d.unstage([]change{{path: r.Path}}); err != nil {
			return err
		}
	}
	dirs := slices.DeleteFunc(slices.Clone(s.Directories), func(dir string) bool { return strings.HasPrefix(dir, StateDir) })
	slices.Reverse(dirs)
	// The state comes last: it tells the next run what is left to do.
	return errors.Join(d.removeEmpty(dirs), d.removeAll(formerDir), d.unstage([]change{{path: stateFile}}),
		d.remove(stateFile), d.removeEmpty(append([]string{StateDir}, dirs...)))
}

// forgetFormer removes former files that no record needs.
func (d disk) forgetFormer(s state) error {
	entries, err := os.ReadDir(d.at(formerDir))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(formerDir, entry.Name())
		needed := slices.ContainsFunc(s.Files, func(r record) bool { return r.Former.regular() && r.Former.path() == path })
		if !needed {
			if err := d.remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeAll removes one of our directories with everything in it.
func (d disk) removeAll(path string) error {
	if !d.exists(path) {
		return nil
	}
	if err := d.inside(path); err != nil {
		return err
	}
	d.changing("remove", path)
	if err := os.RemoveAll(d.at(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
