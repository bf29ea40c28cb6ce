// Package options has the one constant of k8s.io/cloud-provider/options that packages
// of the kubelets use. The real package imports an API server, which takes minutes to
// compile. The kubelet's code for plugins does not use the constant.
package options

// CloudControllerManagerWebhookPort is copied from options/webhook.go of
// k8s.io/cloud-provider. It is the same in 0.32, 0.34 and 0.36.
const CloudControllerManagerWebhookPort = 10260
