package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

// life has what must be the same after install and uninstall: a node's files, and a
// running pod.
type life struct {
	files     snapshot
	container string
}

const oldest = "before" // the name of the pod

// lives starts the kubelet and a pod, and records the files and the pod's container.
func (n *Node) lives(ctx context.Context) (l life, err error) {
	err = steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pulls(ctx, oldest, ownRegistry+"/base/before:1", nodeSession) },
		func() (err error) { l.files, err = takeSnapshot(); return err },
		func() (err error) { l.container, err = n.containerOf(ctx, oldest); return err },
	)
	return l, err
}

// goesOn returns an error unless the pod still runs in the same container, and the
// container was not restarted.
func (l life) goesOn(ctx context.Context, n *Node) error {
	if err := n.Ready(ctx, oldest); err != nil {
		return err
	}
	now, err := n.containerOf(ctx, oldest)
	if err == nil && now != l.container {
		err = fmt.Errorf("the pod %s has container %s; want %s", oldest, now, l.container)
	}
	return err
}

// containerOf returns the running container of a pod with one container, and the number
// of its restarts.
func (n *Node) containerOf(ctx context.Context, name string) (string, error) {
	pods, err := n.pods(ctx)
	if err != nil {
		return "", err
	}
	for _, pod := range pods {
		for _, c := range pod.Status.ContainerStatuses {
			if pod.Namespace+"/"+pod.Name == fullName(name) && c.State.Running != nil {
				return fmt.Sprintf("%s, restarted %d times", c.ContainerID, c.RestartCount), nil
			}
		}
	}
	return "", fmt.Errorf("pod %s has no running container", name)
}

// snapshot has all files that install may change: modes, contents, and the targets of
// links. It does not include the pods' manifests, which each case writes itself.
type snapshot map[string]string

func takeSnapshot() (snapshot, error) {
	found := snapshot{}
	for _, root := range []string{"/etc", "/usr/local/bin", "/var/lib/" + pluginName, providersDir} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist) && path == root:
				return nil
			case err != nil:
				return err
			case path == manifestsDir:
				return fs.SkipDir
			}
			found[path], err = describeFile(path, d)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func describeFile(path string, d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	what := info.Mode().String()
	switch {
	case d.Type().IsRegular():
		content, err := os.ReadFile(path)
		return fmt.Sprintf("%s %x", what, sha256.Sum256(content)), err
	case d.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return what + " to " + target, err
	}
	return what, nil
}

// same returns an error unless all files are as they were.
func (s snapshot) same() error {
	now, err := takeSnapshot()
	if err != nil {
		return err
	}
	changed := maps.Clone(s)
	for path, what := range now {
		if changed[path] == what {
			delete(changed, path)
		} else {
			changed[path] = "now " + what
		}
	}
	if len(changed) > 0 {
		return fmt.Errorf("the files are not as before: %v", changed)
	}
	return nil
}
