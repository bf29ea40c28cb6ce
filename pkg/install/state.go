package install

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// StateDir is the directory in which a node keeps what install changed, and the former
// files. It must survive a reboot.
const StateDir = "/var/lib/" + pluginName

const (
	stateFile = StateDir + "/install.json"
	formerDir = StateDir + "/former"
)

// state describes what install did to a node.
type state struct {
	Platform string `json:"platform"`
	// ProviderConfig and BinDir are the values of the kubelet's two flags.
	ProviderConfig string `json:"providerConfig,omitempty"`
	BinDir         string `json:"binDir,omitempty"`
	// Pending says that files changed, and that install has not restarted the kubelet
	// since then. The kubelet may have been restarted by a boot: see startedSince.
	Pending bool `json:"restartPending,omitempty"`
	// Files are the files that install wrote, in the order of writing.
	Files []record `json:"files"`
	// Directories are the directories that install made, parents first.
	Directories []string `json:"directories,omitempty"`
}

// record is a file that install wrote.
type record struct {
	Path string `json:"path"`
	// Former is the object from before install. Its content is in the file
	// formerDir/SHA256.
	Former former `json:"former"`
	// Providers says that the file is a configuration of the kubelet's providers.
	// Others may own a part of it.
	Providers bool `json:"providers,omitempty"`
	// Ours are the fingerprints of the objects that install put there. While a run is
	// in progress, they are those of the earlier run and of this one.
	Ours []string `json:"ours"`
}

type former struct {
	Fingerprint string      `json:"fingerprint"`
	Mode        fs.FileMode `json:"mode,omitempty"`
	Link        string      `json:"link,omitempty"`
	Owner       *owner      `json:"owner,omitempty"`
}

// find returns the record of a path.
func (s state) find(path string) (record, bool) {
	i := slices.IndexFunc(s.Files, func(r record) bool { return r.Path == path })
	if i < 0 {
		return record{}, false
	}
	return s.Files[i], true
}

// plugin returns the path of the plugin that the latest run put on the node. It reports
// false if there is none. The records of earlier runs come first.
func (d disk) plugin(s state) (string, bool) {
	for _, r := range slices.Backward(s.Files) {
		name := filepath.Base(r.Path)
		if filepath.Dir(r.Path) != s.BinDir || name != pluginName && name != olderName {
			continue
		}
		if o, err := d.read(r.Path); err == nil && o.mode != 0 { // not pluginLink
			return r.Path, true
		}
	}
	return "", false
}

// readState returns a node's state, or the zero value if install did nothing.
func (d disk) readState() (state, error) {
	var s state
	if err := d.inside(formerDir); err != nil {
		return s, err
	}
	content, err := readFile(d.at(stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &s)
	}
	if err != nil {
		return s, fmt.Errorf("reading what was installed before: %s: %w", d.at(stateFile), err)
	}
	for _, r := range s.Files {
		if !filepath.IsAbs(r.Path) || filepath.Clean(r.Path) != r.Path || r.Former.regular() && len(r.Former.Fingerprint) != len(object{mode: 1}.fingerprint()) {
			return s, fmt.Errorf("%s: the record of %q is damaged", d.at(stateFile), r.Path)
		}
	}
	return s, nil
}

// writeState replaces the state.
func (d disk) writeState(s state) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := d.stage(stateFile, object{mode: 0o600, content: append(content, '\n')}); err != nil {
		return err
	}
	return d.put(stateFile)
}

// path returns the path of the kept content.
func (f former) path() string { return filepath.Join(formerDir, filepath.Base(f.Fingerprint[5:])) }

func (f former) regular() bool { return f.Link == "" && f.Mode != 0 }

// keep saves the object from before install.
func (d disk) keep(o object) (former, error) {
	f := former{Fingerprint: o.fingerprint(), Mode: o.mode, Link: o.link, Owner: o.owner}
	if !f.regular() || d.exists(f.path()) {
		return f, nil
	}
	if err := d.stage(f.path(), object{mode: 0o600, content: o.content}); err != nil {
		return f, err
	}
	return f, d.put(f.path())
}

// restored returns the object from before install.
func (d disk) restored(f former) (object, error) {
	o := object{mode: f.Mode, link: f.Link, owner: f.Owner}
	if f.regular() {
		var err error
		if o.content, err = readFile(d.at(f.path())); err != nil {
			return o, err
		}
	}
	if o.fingerprint() != f.Fingerprint {
		return o, fmt.Errorf("%s is not what install kept", d.at(f.path()))
	}
	return o, nil
}
