//go:build !unix

package install

import "errors"

// lock fails: kubelets of other systems are not installed for yet.
func (i *Installer) lock() (unlock func(), err error) {
	return nil, UsageError{errors.New("install and uninstall work on Linux only; for Windows, copy the files by hand (config-examples/kubelet)")}
}
