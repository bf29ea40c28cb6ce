package install

import (
	"fmt"
	"slices"
)

// change is what happens to one path.
type change struct {
	path     string
	old, new object
	// note tells the operator that somebody else changed the file, or what remains of it.
	note string
	// providers says that the file is a configuration of the kubelet's providers.
	providers bool
}

func (c change) needed() bool { return c.old.fingerprint() != c.new.fingerprint() || c.changesOwner() }

// changesOwner reports whether a regular file goes from one user to another. The plugin
// refuses a configuration that belongs to an ordinary user.
func (c change) changesOwner() bool {
	return c.old.mode != 0 && c.new.mode != 0 && c.old.user() != c.new.user()
}

// recorded returns the record of a file that this run writes. before is the state of
// the earlier run. The record keeps what was there before install.
func (d disk) recorded(before state, c change) (record, error) {
	r, known := before.find(c.path)
	r.Path, r.Providers = c.path, c.providers
	now := c.old
	switch {
	case known && slices.Contains(r.Ours, now.fingerprint()):
		return r, nil // an earlier run wrote the current file
	case known && !c.providers:
		return r, nil // somebody changed our file: the file from before install counts
	case known: // somebody added to it: without our entries the file is theirs
		stripped, err := withoutOurs(now)
		if err != nil {
			return r, fmt.Errorf("%s: %w", d.at(c.path), err)
		}
		if !now.absent() && !hasEntries(stripped) {
			return r, nil // nothing in it is theirs: the file from before install counts
		}
		now = stripped
	}
	var err error
	r.Former, err = d.keep(now)
	return r, err
}

// withoutOurs returns a configuration of providers without our entries.
func withoutOurs(o object) (object, error) {
	if o.mode == 0 {
		return o, nil
	}
	doc, err := parseDocument(o.content)
	if err != nil || !doc.has(ourNames...) {
		return o, err
	}
	doc.remove(ourNames...)
	o.content, err = doc.bytes()
	return o, err
}

// hasEntries reports whether a configuration of providers has any entries.
func hasEntries(o object) bool {
	doc, err := parseDocument(o.content)
	return err == nil && doc.providers() != nil && len(doc.providers().Content) > 0
}

// undone returns the change that restores a file that install wrote. If somebody else
// has changed the file since then, the file stays as it is. From a configuration of
// providers, undone then removes only our entries, unless no other entry is in it.
func (d disk) undone(r record) (change, error) {
	now, err := d.read(r.Path)
	c := change{path: r.Path, old: now, new: now, providers: r.Providers}
	switch {
	case err != nil:
		return c, err
	case slices.Contains(r.Ours, now.fingerprint()):
		c.new, err = d.restored(r.Former)
		return c, err
	case now.fingerprint() == r.Former.Fingerprint:
		return c, nil
	case now.absent():
		c.note = "somebody removed it; it is not brought back"
		return c, nil
	case !r.Providers:
		c.note = "somebody changed it since it was installed; it stays as it is"
		return c, nil
	}
	c.note = "somebody changed it since it was installed; our entries are removed, the rest stays"
	if c.new, err = withoutOurs(now); err != nil {
		return c, fmt.Errorf("%s: %w; remove the entries %v by hand", d.at(r.Path), err, ourNames)
	}
	if !hasEntries(c.new) { // a kubelet does not start without any entry
		c.note = "no other entry is in it, so uninstall restores what was there before install"
		c.new, err = d.restored(r.Former)
	}
	return c, err
}

// perform stages all changes, then makes them in order. If one fails, perform undoes
// the earlier ones.
func (d disk) perform(changes []change, check func() error) error {
	err := d.stageAll(changes)
	if err == nil && check != nil {
		err = check()
	}
	if err != nil {
		return withCleanup(err, d.unstage(changes))
	}
	for i, c := range changes {
		if err := d.make(c); err != nil {
			return withCleanup(err, d.unstage(changes[i:]), d.undo(changes[:i]))
		}
	}
	return nil
}

func (d disk) stageAll(changes []change) error {
	for _, c := range changes {
		if c.needed() && !c.new.absent() {
			if err := d.stage(c.path, c.new); err != nil {
				return err
			}
		}
	}
	return nil
}

// make makes a change whose new object is staged.
func (d disk) make(c change) error {
	switch {
	case !c.needed():
		return nil
	case c.new.absent():
		return d.remove(c.path)
	}
	return d.put(c.path)
}

// undo restores the former objects, the last change first.
func (d disk) undo(changes []change) error {
	for _, c := range slices.Backward(changes) {
		back := change{path: c.path, old: c.new, new: c.old}
		if err := d.stageAll([]change{back}); err != nil {
			return err
		}
		if err := d.make(back); err != nil {
			return err
		}
	}
	return nil
}

// unstage removes the staged objects.
func (d disk) unstage(changes []change) error {
	for _, c := range changes {
		if d.exists(staged(c.path)) {
			if err := d.remove(staged(c.path)); err != nil {
				return err
			}
		}
	}
	return nil
}

// withCleanup adds the errors of a cleanup to the error before it.
func withCleanup(err error, cleanup ...error) error {
	for _, other := range cleanup {
		if other != nil {
			err = fmt.Errorf("%w; and while undoing what was done: %w", err, other)
		}
	}
	return err
}
