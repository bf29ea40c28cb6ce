package doctor

import "ecr-cross-account-credential-provider/pkg/diagnosis"

// The groups.
const (
	groupKubelet       = "kubelet"
	groupConfiguration = "configuration"
	groupIdentity      = "identity"
	groupNetwork       = "network"
	groupAWS           = "aws"
	groupRegistry      = "registry"
)

// The kinds of checks. A code never changes its meaning.
var (
	kubeletProcess = diagnosis.Kind{Code: "D01", Group: groupKubelet, Title: "kubelet"}
	providerConfig = diagnosis.Kind{Code: "D02", Group: groupKubelet, Title: "CredentialProviderConfig"}
	providerEntry  = diagnosis.Kind{Code: "D03", Group: groupKubelet, Title: "the plugin's entry and file"}
	matchImages    = diagnosis.Kind{Code: "D04", Group: groupKubelet, Title: "matchImages"}
	tokenSettings  = diagnosis.Kind{Code: "D05", Group: groupKubelet, Title: "tokenAttributes"}
	mirrorHosts    = diagnosis.Kind{Code: "D06", Group: groupKubelet, Title: "mirror"}
	loadedSince    = diagnosis.Kind{Code: "D07", Group: groupKubelet, Title: "the kubelet has read its files"}

	configurationFile = diagnosis.Kind{Code: "D08", Group: groupConfiguration, Title: "configuration"}
	imagePlan         = diagnosis.Kind{Code: "D09", Group: groupConfiguration, Title: "plan"}
	tokenCache        = diagnosis.Kind{Code: "D10", Group: groupConfiguration, Title: "cache"}

	awsSettings   = diagnosis.Kind{Code: "D11", Group: groupIdentity, Title: "settings of the AWS SDK"}
	clock         = diagnosis.Kind{Code: "D12", Group: groupIdentity, Title: "clock"}
	nodeIdentity  = diagnosis.Kind{Code: "D13", Group: groupIdentity, Title: "credentials of the node"}
	callerAccount = diagnosis.Kind{Code: "D14", Group: groupIdentity, Title: "GetCallerIdentity"}

	reachSTS      = diagnosis.Kind{Code: "D15", Group: groupNetwork, Title: "STS"}
	reachECR      = diagnosis.Kind{Code: "D16", Group: groupNetwork, Title: "ECR API"}
	reachRegistry = diagnosis.Kind{Code: "D17", Group: groupNetwork, Title: "registry"}
	reachLayers   = diagnosis.Kind{Code: "D18", Group: groupNetwork, Title: "layers in S3"}

	assumeRole          = diagnosis.Kind{Code: "D19", Group: groupAWS, Title: "AssumeRole", PerImage: true}
	probeExternalIDKind = diagnosis.Kind{Code: "D20", Group: groupAWS, Title: "AssumeRole without the external ID", PerImage: true}
	requestToken        = diagnosis.Kind{Code: "D21", Group: groupAWS, Title: "GetAuthorizationToken", PerImage: true}

	acceptsToken = diagnosis.Kind{Code: "D22", Group: groupRegistry, Title: "the registry accepts the token", PerImage: true}
	readManifest = diagnosis.Kind{Code: "D23", Group: groupRegistry, Title: "manifest", PerImage: true}
	readLayer    = diagnosis.Kind{Code: "D24", Group: groupRegistry, Title: "layer", PerImage: true}
)

// kinds are all of them.
var kinds = []diagnosis.Kind{
	kubeletProcess, providerConfig, providerEntry, matchImages, tokenSettings, mirrorHosts, loadedSince,
	configurationFile, imagePlan, tokenCache,
	awsSettings, clock, nodeIdentity, callerAccount,
	reachSTS, reachECR, reachRegistry, reachLayers,
	assumeRole, probeExternalIDKind, requestToken,
	acceptsToken, readManifest, readLayer,
}
