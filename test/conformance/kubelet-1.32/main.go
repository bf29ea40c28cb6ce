// This program is the part of a kubelet before 1.33 that finds image credentials;
// see ../kubelet-1.36/main.go. It has no pods and no service accounts, only one
// keyring for the node.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
	"k8s.io/kubernetes/pkg/util/parsers"
)

// kubelet and its parts are the JSON that ../kubelet_test.go writes and explains.
type kubelet struct {
	Config, BinDir string
	Lookups        []struct{ Image string }
}

type lookup struct{ Credentials []credential }

type credential struct{ Username, Password string }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var k kubelet
	if err := json.NewDecoder(os.Stdin).Decode(&k); err != nil {
		return err
	}
	if err := plugin.RegisterCredentialProviderPlugins(k.Config, k.BinDir); err != nil {
		return err
	}
	keyring := credentialprovider.NewDockerKeyring()
	var answers []lookup
	for _, p := range k.Lookups {
		repository, _, _, err := parsers.ParseImageName(p.Image) // as the kubelet does before a pull
		if err != nil {
			return err
		}
		found, _ := keyring.Lookup(repository)
		var l lookup
		for _, auth := range found {
			l.Credentials = append(l.Credentials, credential{auth.Username, auth.Password})
		}
		answers = append(answers, l)
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}
