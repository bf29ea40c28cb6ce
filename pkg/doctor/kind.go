package doctor

import "ecr-cross-account-credential-provider/pkg/diagnosis"

// These are the groups of checks.
const (
	groupKubelet       = "kubelet"
	groupConfiguration = "configuration"
	groupIdentity      = "identity"
	groupNetwork       = "network"
	groupAWS           = "aws"
	groupRegistry      = "registry"
)

// These are the kinds of checks. A code never changes its meaning. Ranks follow the
// order in which a pull needs things: roles come before the registry, and layers
// last.
var (
	kubeletProcess = diagnosis.Kind{Code: "D01", Rank: 1, Group: groupKubelet, Title: "kubelet"}
	providerConfig = diagnosis.Kind{Code: "D02", Rank: 2, Group: groupKubelet, Title: "CredentialProviderConfig"}
	providerEntry  = diagnosis.Kind{Code: "D03", Rank: 3, Group: groupKubelet, Title: "the plugin's entry and file"}
	matchImages    = diagnosis.Kind{Code: "D04", Rank: 4, Group: groupKubelet, Title: "matchImages"}
	tokenSettings  = diagnosis.Kind{Code: "D05", Rank: 5, Group: groupKubelet, Title: "tokenAttributes"}
	mirrorHosts    = diagnosis.Kind{Code: "D06", Rank: 6, Group: groupKubelet, Title: "mirror"}
	loadedSince    = diagnosis.Kind{Code: "D07", Rank: 7, Group: groupKubelet, Title: "the kubelet has read its files"}

	configurationFile = diagnosis.Kind{Code: "D08", Rank: 8, Group: groupConfiguration, Title: "configuration"}
	imagePlan         = diagnosis.Kind{Code: "D09", Rank: 9, Group: groupConfiguration, Title: "plan"}
	tokenCache        = diagnosis.Kind{Code: "D10", Rank: 10, Group: groupConfiguration, Title: "cache"}

	awsSettings   = diagnosis.Kind{Code: "D11", Rank: 11, Group: groupIdentity, Title: "settings of the AWS SDK"}
	clock         = diagnosis.Kind{Code: "D12", Rank: 12, Group: groupIdentity, Title: "clock"}
	nodeIdentity  = diagnosis.Kind{Code: "D13", Rank: 13, Group: groupIdentity, Title: "credentials of the node"}
	callerAccount = diagnosis.Kind{Code: "D14", Rank: 14, Group: groupIdentity, Title: "GetCallerIdentity"}

	reachSTS      = diagnosis.Kind{Code: "D15", Rank: 15, Group: groupNetwork, Title: "STS"}
	reachECR      = diagnosis.Kind{Code: "D16", Rank: 18, Group: groupNetwork, Title: "ECR API"}
	reachRegistry = diagnosis.Kind{Code: "D17", Rank: 20, Group: groupNetwork, Title: "registry"}
	reachLayers   = diagnosis.Kind{Code: "D18", Rank: 23, Group: groupNetwork, Title: "layers in S3"}

	assumeRole          = diagnosis.Kind{Code: "D19", Rank: 16, Group: groupAWS, Title: "AssumeRole", PerImage: true}
	probeExternalIDKind = diagnosis.Kind{Code: "D20", Rank: 17, Group: groupAWS, Title: "AssumeRole without the external ID", PerImage: true}
	requestToken        = diagnosis.Kind{Code: "D21", Rank: 19, Group: groupAWS, Title: "GetAuthorizationToken", PerImage: true}

	acceptsToken = diagnosis.Kind{Code: "D22", Rank: 21, Group: groupRegistry, Title: "the registry accepts the token", PerImage: true}
	readManifest = diagnosis.Kind{Code: "D23", Rank: 22, Group: groupRegistry, Title: "manifest", PerImage: true}
	readLayer    = diagnosis.Kind{Code: "D24", Rank: 24, Group: groupRegistry, Title: "layer", PerImage: true}
)

// kinds are all kinds.
var kinds = []diagnosis.Kind{
	kubeletProcess, providerConfig, providerEntry, matchImages, tokenSettings, mirrorHosts, loadedSince,
	configurationFile, imagePlan, tokenCache,
	awsSettings, clock, nodeIdentity, callerAccount,
	reachSTS, reachECR, reachRegistry, reachLayers,
	assumeRole, probeExternalIDKind, requestToken,
	acceptsToken, readManifest, readLayer,
}
