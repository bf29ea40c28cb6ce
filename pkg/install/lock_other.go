//go:build !unix

package install

import "errors"

// lock fails, because install does not support kubelets of other systems yet.
func (i *Installer) lock() (unlock func(), err error) {
	return nil, UsageError{errors.New("install and uninstall work on Linux only; for Windows, copy the files by hand (config-examples/kubelet)")}
}
