package config

// Document is the configuration file, in the order of its keys. The comments are
// the descriptions in the JSON schema and in the table of keys. The tags mean:
//
//	yaml      the key
//	required  the key must be present; the text says what to write
//	enum      the words that are allowed, separated by |
//	default   the value if the key is absent
//	absent    what happens if the key is absent, in words
//	pattern   a form that the JSON schema checks; Load checks the value itself
//	keys      the pattern for the keys of a mapping
//	max       the maximum number of characters of a string (4096 if absent), or of
//	          items of a list or keys of a mapping (1000 if absent)
type Document struct {
	// The version of this format.
	APIVersion string `yaml:"apiVersion" enum:"ecr-cross-account-credential-provider/v1alpha1" required:"want ecr-cross-account-credential-provider/v1alpha1"`
	// The kind of this document.
	Kind string `yaml:"kind" enum:"CrossAccountConfig" required:"want CrossAccountConfig"`
	// The entries. Each says who requests the tokens of some registries.
	Registries []Entry `yaml:"registries" required:"want a list of entries with accounts"`
	// Image hosts that container runtimes pull through an ECR registry, such as a pull-through cache. containerd only.
	Mirrors []Mirror `yaml:"mirrors" absent:"none"`
	// ECR images that no entry matches: `Node` uses the node's identity, `None` gives an empty response.
	Unmatched string `yaml:"unmatched" enum:"Node|None" default:"Node"`
	// Where the node's identity comes from.
	Node struct {
		// The profile that holds the node's identity. It has priority over `AWS_PROFILE`.
		Profile string `yaml:"profile" max:"256" absent:"the SDK's choice"`
		// The absolute path of the AWS configuration file with that profile. It has priority over `AWS_CONFIG_FILE`.
		ConfigFile string `yaml:"configFile" pattern:"path" absent:"the SDK's choice"`
	} `yaml:"node"`
	// Which STS assumes the roles.
	STS struct {
		// `Node`: the node's region (environment, profile, IMDS, else the registry's). `Registry`: the registry's region. Or the name of a region.
		Region string `yaml:"region" default:"Node" max:"64" pattern:"stsRegion"`
	} `yaml:"sts"`
	// URLs of services, for endpoints without private DNS.
	Endpoints struct {
		// The URL of ECR's API by region: https without user and query, or http on loopback. It has priority over those of the environment.
		ECR Pairs `yaml:"ecr" pattern:"url" keys:"region" max:"256" absent:"AWS's own"`
		// The URL of STS by region, with the same rules.
		STS Pairs `yaml:"sts" pattern:"url" keys:"region" max:"256" absent:"AWS's own"`
	} `yaml:"endpoints"`
	// The time for a whole request, from 1s to 50s. The kubelet ends the plugin after 60s.
	Deadline string `yaml:"deadline" default:"20s" max:"64" pattern:"duration"`
	// The tokens that all processes of the node share.
	Cache struct {
		// The absolute path of a directory that root or the plugin's user owns. An empty text turns the cache off.
		Directory string `yaml:"directory" pattern:"path" absent:"/run/ecr-cross-account-credential-provider"`
	} `yaml:"cache"`
	// The log of requests.
	Log struct {
		// `Journal` (where there is one), `Stderr`, `None`, or the absolute path of a file.
		Destination string `yaml:"destination" default:"Journal" pattern:"log"`
	} `yaml:"log"`
}

// Entry says for some registries who requests their tokens.
type Entry struct {
	// Accounts of registries: 12 digits, quoted or not; `own`, the account of the node's identity; or `"*"` alone, every account that no other entry names.
	Accounts []string `yaml:"accounts" required:"want a list of account numbers, own, or \"*\"" pattern:"accounts"`
	// Accounts that `"*"` leaves out: 12 digits or `own`. Required beside `"*"` with `assumeRoles`, because AWS's own accounts (EKS add-ons) and the node's have no such role.
	ExceptAccounts []string `yaml:"exceptAccounts" pattern:"exceptAccounts" absent:"none"`
	// Regions of registries: names, or patterns in which `*` is any run of characters.
	Regions []string `yaml:"regions" max:"256" pattern:"regions" absent:"all"`
	// The starts of repositories' names, such as `team-a/`.
	Repositories []string `yaml:"repositories" pattern:"repositories" absent:"all"`
	// Where the chain of roles starts: with the identity of the node, or of the pod's service account.
	Source string `yaml:"source" enum:"Node|ServiceAccount" default:"Node"`
	// How a service account becomes the source. Required beside `source: ServiceAccount`.
	ServiceAccount ServiceAccount `yaml:"serviceAccount"`
	// The roles to assume, in order. The last one requests the token. Without roles, the source requests it.
	AssumeRoles []Role `yaml:"assumeRoles" absent:"none"`
	// `Node`: if STS denies a role (AccessDenied, and nothing else), use the node's identity. Not with `source: ServiceAccount`.
	WhenRefused string `yaml:"whenRefused" enum:"Fail|Node" default:"Fail"`
}

// ServiceAccount says how a service account becomes the source.
type ServiceAccount struct {
	// The annotation that names the role. The kubelet's `tokenAttributes` must list it.
	RoleAnnotation string `yaml:"roleAnnotation" default:"eks.amazonaws.com/ecr-role-arn" pattern:"annotation"`
	// The role of service accounts without the annotation, with the placeholders of `arn`.
	RoleARN string `yaml:"roleARN" max:"2048" pattern:"optionalRole" absent:"none"`
	// The roles that an annotation may name. In path and name, `*` is any run of characters except `/`. The placeholders of `arn` are allowed.
	AllowedRoles []string `yaml:"allowedRoles" required:"want the roles that an annotation may name" pattern:"rolePattern"`
	// `Node`: if there is no service account token, the node's identity requests the ECR token, without `assumeRoles`.
	WhenNoToken string `yaml:"whenNoToken" enum:"Refuse|Node" default:"Refuse"`
	// `Node`: if there is neither an annotation nor `roleARN`, the node's identity requests the ECR token, without `assumeRoles`.
	WhenNoRole string `yaml:"whenNoRole" enum:"Refuse|Node" default:"Refuse"`
}

// Role is a role to assume.
type Role struct {
	// The role, in the registry's partition. `{partition}`, `{account}` and `{region}` are those of the registry.
	ARN string `yaml:"arn" required:"want the ARN of the role to assume" max:"2048" pattern:"role"`
	// The external ID that the role's trust policy requires: 2 to 1224 letters, digits or `_+=,.@:/-`. Not under `"*"`.
	ExternalID string `yaml:"externalID" max:"1224" pattern:"externalID" absent:"none"`
	// The name that CloudTrail shows. `{node}` is the instance ID, else the host name. Also allowed: `{account}`, `{region}`, and with a service account `{namespace}` and `{serviceAccount}`. Names with placeholders are cut to 64 characters.
	SessionName string `yaml:"sessionName" default:"{node}" max:"256" pattern:"sessionName"`
	// How long the session lasts: 15m to 12h for the first role, up to 1h after another role or a service account (role chaining).
	Duration string `yaml:"duration" default:"1h" max:"64" pattern:"duration"`
	// At most 50 session tags, with the placeholders of `sessionName` in the values. The trust policy and the caller's policy must allow `sts:TagSession`. Not under `"*"`.
	SessionTags Pairs `yaml:"sessionTags" max:"50" keys:"tagKey" pattern:"tagValue" absent:"none"`
	// A session policy for the entry's repositories, on the last role only. `PullOnly` allows only pulls. `PullThroughCache` also lets ECR import images and create repositories.
	Policy string `yaml:"policy" enum:"PullOnly|PullThroughCache" absent:"none"`
}

// Mirror is an image host and the ECR registry that it is pulled through.
type Mirror struct {
	// The host as the kubelet names it: `docker.io` for `nginx`. Never a private ECR registry.
	Host string `yaml:"host" required:"want a host such as docker.io" max:"260" pattern:"mirrorHost"`
	// The private ECR registry, and the prefix of its repositories if there is one. The entry for this registry and prefix governs.
	Registry string `yaml:"registry" required:"want a registry such as 444455556666.dkr.ecr.eu-west-1.amazonaws.com/docker-hub" max:"512" pattern:"mirrorRegistry"`
}

// Pairs are the keys and values of a mapping with arbitrary keys, in the order of
// the file.
type Pairs []Pair

// Pair is a key of such a mapping and its value. The decoder fills Path.
type Pair struct{ Key, Value, Path string }
