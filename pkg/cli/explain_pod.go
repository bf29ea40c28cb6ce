package cli

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// podFlags name the service account of a pod that wants the image.
type podFlags struct {
	namespace, name string
	annotations     map[string]string
}

func (f *podFlags) register(flags *flag.FlagSet) {
	flags.Func("service-account", "the pod's service account, `NAMESPACE/NAME`", func(s string) (err error) {
		var ok bool
		f.namespace, f.name, ok = strings.Cut(s, "/")
		if !ok || f.namespace == "" || f.name == "" || strings.Contains(f.name, "/") {
			return fmt.Errorf("%q is not NAMESPACE/NAME", printable.Short(s))
		}
		return nil
	})
	f.annotations = map[string]string{}
	flags.Func("annotation", "an annotation of the service account, `KEY=VALUE`; repeatable", func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return fmt.Errorf("%q is not KEY=VALUE", printable.Short(s))
		}
		f.annotations[key] = value
		return nil
	})
}

// serviceAccount returns the service account in the form of a kubelet's request, or
// nil if the flags name none. Its token has the right claims but no signature, so
// nothing accepts it.
func (f podFlags) serviceAccount() (*kubelet.ServiceAccount, error) {
	if f.name == "" {
		if len(f.annotations) > 0 {
			return nil, command.UsageError("--annotation needs --service-account NAMESPACE/NAME")
		}
		return nil, nil
	}
	claims, err := json.Marshal(map[string]string{"sub": "system:serviceaccount:" + f.namespace + ":" + f.name})
	if err != nil {
		return nil, err
	}
	token := "e30." + base64.RawURLEncoding.EncodeToString(claims) + "." // the header is {}
	return &kubelet.ServiceAccount{Annotations: f.annotations, Token: secret.New(token)}, nil
}
