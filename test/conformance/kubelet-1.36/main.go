// This program is the part of a kubelet that finds image credentials. The tests of
// the parent directory build it and run it. It reads from stdin the kubelet's flags
// and the images of its pods. It registers the plugins and looks up the images. It
// writes to stdout the credentials that the kubelet would try, and its log to
// stderr.
//
// It is a program, because a process can register plugins only once. It is a
// module, to keep Kubernetes out of the product's go.mod. Its replace lines are
// copied from k8s.io/kubernetes, because those of a required module have no effect.
// Only two lines differ: they lead to ../constants.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
	"k8s.io/kubernetes/pkg/util/parsers"
)

// kubelet and its parts are the JSON that ../kubelet_test.go writes and explains.
type kubelet struct {
	Config, BinDir  string
	Lookups         []pod
	ServiceAccounts map[string]serviceAccount
}

type pod struct{ Image, Namespace, ServiceAccount string }

type serviceAccount struct {
	Annotations     map[string]string
	Audience, Token string
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
	if err := plugin.RegisterCredentialProviderPlugins(k.Config, k.BinDir, k.token, k.serviceAccount); err != nil {
		return err
	}
	var answers []lookup
	for i, p := range k.Lookups {
		repository, _, _, err := parsers.ParseImageName(p.Image) // as the kubelet does before a pull
		if err != nil {
			return err
		}
		id := fmt.Sprintf("pod-%d", i)
		found, _ := plugin.NewExternalCredentialProviderDockerKeyring(p.Namespace, id, id, p.ServiceAccount).Lookup(repository)
		var l lookup
		for _, auth := range found {
			l.Credentials = append(l.Credentials, credential{auth.Username, auth.Password})
		}
		answers = append(answers, l)
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// token replaces the API server's TokenRequest.
func (k kubelet) token(namespace, name string, request *authenticationv1.TokenRequest) (*authenticationv1.TokenRequest, error) {
	account, ok := k.ServiceAccounts[namespace+"/"+name]
	if !ok || !slices.Contains(request.Spec.Audiences, account.Audience) {
		return nil, fmt.Errorf("no token for %s/%s and %v", namespace, name, request.Spec.Audiences)
	}
	return &authenticationv1.TokenRequest{Status: authenticationv1.TokenRequestStatus{
		Token:               account.Token,
		ExpirationTimestamp: metav1.NewTime(time.Now().Add(time.Hour)),
	}}, nil
}

// serviceAccount replaces the API server's GET.
func (k kubelet) serviceAccount(namespace, name string) (*corev1.ServiceAccount, error) {
	account, ok := k.ServiceAccounts[namespace+"/"+name]
	if !ok {
		return nil, fmt.Errorf("serviceaccounts %q not found", name)
	}
	return &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID("uid-of-" + namespace + "-" + name), Annotations: account.Annotations,
	}}, nil
}
