package readme_test

// entry maps messages to an entry of TROUBLESHOOTING.md. A message matches
// if its package is one of e.from (empty means all), and it contains e.text.
// The first matching entry counts.
type entry struct{ from, text, heading string }

const (
	assuming      = "AccessDenied while assuming a role"
	cacheOff      = "The cache is off"
	commandLine   = "The command line is wrong"
	configuration = "The configuration has an error"
	deadline      = "No response within the deadline"
	defect        = "A defect"
	fromECR       = "AccessDeniedException from ECR"
	logWriting    = "The log is not written"
	metrics       = "The metrics are not written"
	mirrorLeak    = "A token can reach another host"
	needsMore     = "The command needs a fact"
	noCredentials = "No AWS credentials on this node"
	notAccepted   = "The configuration is not accepted as a file"
	notECR        = "The image is not in Amazon ECR"
	notRun        = "The plugin did not run"
	notServed     = "The request is not served"
	partitions    = "Roles and partitions"
	podsRole      = "The service account has no token or no role"
	providerFile  = "The kubelet does not start"
	registryFails = "The registry's answer cannot be used"
	sdkFiles      = "The AWS SDK's own files"
	unreachable   = "The node does not reach AWS"

	refusesNode  = "Install refuses this node"
	wouldStop    = "Install would stop the kubelet"
	doesNotRun   = "The plugin's file does not run"
	inTheWay     = "Something is in the way of install"
	notRestarted = "The kubelet is not restarted"
	unhealthy    = "The kubelet is not healthy after install"
	unknownPast  = "What was there before is not known"
)

var entries = []entry{
	{"plan provider rule", "partition", partitions},
	{"plan", "the registry's host asks for FIPS endpoints", partitions},
	{"registry", "has no registry host of this form", notECR},
	{"plan", "service account", podsRole},
	{"rule", "the service account's annotation", podsRole},
	{"rule", "is empty; name a role", podsRole},
	{"rule", "is not one of allowedRoles", podsRole},
	{"rule", "no role", podsRole},
	{"plan", "no credentials for registry", podsRole},

	{"identity", "no AWS credentials on this node", noCredentials},
	{"awsapi", "AWS_EC2_METADATA_DISABLED", noCredentials},
	{"awsapi", "instance", noCredentials},
	{"awsapi", "the metadata service is off", noCredentials},
	{"identity", "the node's region is not known", noCredentials},
	{"identity", "node's own account", noCredentials},
	{"identity", "assuming the roles of", assuming},
	{"identity", "STS answered without", unreachable},
	{"identity", "", assuming},
	{"provider", "choosing the entry", noCredentials},
	{"provider", "using the node's identity", assuming},
	{"ecr", "getting a token", fromECR},
	{"ecr", "", unreachable},

	{"awsapi", "credential_process", sdkFiles},
	{"awsapi", "its output is larger", sdkFiles},
	{"awsapi", "it did not end in time", sdkFiles},
	{"awsapi", "reading the", sdkFiles},
	{"awsapi", "AWS_CA_BUNDLE", sdkFiles},
	{"boundedfile", "", sdkFiles},
	{"awsapi", "the node's region from AWS_REGION", sdkFiles},
	{"awsapi", "AWS_ENDPOINT_URL_*", sdkFiles},
	{"awsapi", "is not https", sdkFiles},
	{"awsapi", "no time was left", deadline},
	{"awsapi", "", unreachable},

	{"cache", "waiting for another process", deadline},
	{"cache", "because there is no new one", unreachable},
	{"cache", "asked again in", unreachable},
	{"cache", "", cacheOff},
	{"requestlog", "", logWriting},
	{"cli command", "stopped by a signal", deadline},
	{"cli", "no response within the deadline", deadline},
	{"cli", "writing the response", deadline},
	{"command", "it accepted nothing within", deadline},
	{"cli", "a defect in this program", defect},
	{"", "encoding the", defect},
	{"failure", "not a class of errors", defect},
	{"kubelet", "", notServed},

	{"config", "larger than", notAccepted},
	{"config", "not a text file", notAccepted},
	{"config", "not a regular file", notAccepted},
	{"config", "not found", notAccepted},
	{"config", "cannot be read", notAccepted},
	{"config", "writable by", notAccepted},
	{"config", "owned by", notAccepted},
	{"command", "looking for the configuration", notAccepted},
	{"registry", "what follows the", notECR},
	{"registry", "name without a registry host", notECR},
	{"registry", "only port 443", notECR},
	{"registry", "the name is longer", notECR},
	{"registry", "the repository", notECR},
	{"registry", "the path is not a repository's name", notECR},
	{"registry", "the host is not that of an ECR registry", notECR},
	{"config registry rule", "", configuration},

	{"providerconfig", "", providerFile},
	{"pull", "", registryFails},
	{"metrics counter", "", metrics},
	{"provider", "region is not known", noCredentials},
	{"provider", "given up after", deadline},
	{"doctor", "does not exist, so containerd", mirrorLeak},
	{"doctor", "has no config_path", mirrorLeak},
	{"doctor", "only root may read", needsMore},
	{"doctor", "can be written by users", providerFile},
	{"doctor", "is a program for", providerFile},
	{"doctor", "is not a file", providerFile},
	{"doctor", "is not executable", providerFile},
	{"doctor", "not known", needsMore},
	{"doctor", "name an image", needsMore},
	{"procfs", "", needsMore},
	{"iampolicy iamfile", "", needsMore},
	{"operator", "run it as root", inTheWay},
	{"operator", "this machine does not provide it", needsMore},
	{"operator", "needs no such documents", needsMore},
	{"install", "install does not work on", refusesNode},
	{"install", "(config-examples/", refusesNode},
	{"install", "name it with --config", needsMore},
	{"install", "kubelet's version is not known", needsMore},
	{"install", "flags are not known", needsMore},
	{"install", "no kubelet at", needsMore},
	{"install", "… --version: …", needsMore},
	{"install", "looking for a running kubelet", needsMore},
	{"install", "is not a platform", commandLine},
	{"install", "is not a version such as", commandLine},
	{"install", "is not a directory", commandLine},
	{"install", "needs 1.29 or later", refusesNode},
	{"install", "which needs kubelet 1.34 or later", commandLine},
	{"install", "--instead-of-stock rewrites", commandLine},
	{"install", "names no registry that", configuration},
	{"install", "name it with --plugin", doesNotRun},
	{"install", "does not run in", doesNotRun},
	{"install", "is another program", doesNotRun},
	{"install", "the kubelet would not start", wouldStop},
	{"install", "is missing or not executable", wouldStop},
	{"install", "source: ServiceAccount", wouldStop},
	{"install", "second YAML document", wouldStop},
	{"install", "it is empty; remove it", wouldStop},
	{"install", "providers is not a list", wouldStop},
	{"install", "for this plugin; remove the entry or the file", wouldStop},
	{"install", "cannot be written in a systemd unit", wouldStop},
	{"install", "not a mapping", wouldStop},
	{"install", "an alias, which JSON", wouldStop},
	{"install", "symbolic link", inTheWay},
	{"install", "has the mode 0000", inTheWay},
	{"install", "not a regular file", inTheWay},
	{"install", "another install", inTheWay},
	{"install", "taking the lock", inTheWay},
	{"install", "permission denied", inTheWay},
	{"install", "while undoing", inTheWay},
	{"install", "--restart", notRestarted},
	{"install", "systemctl", notRestarted},
	{"install", "run uninstall again", notRestarted},
	{"install", "healthy", unhealthy},
	{"install", "it ended after its start", unhealthy},
	{"install", "installed before", unknownPast},
	{"install", "install has not run here", unknownPast},
	{"install", "damaged", unknownPast},
	{"install", "what install kept", unknownPast},
	{"install", "by hand", unknownPast},
	{"cli", "provider …: …", providerFile},
	{"cli", "the kubelet does not ask for images", notRun},
	{"cli", "which entry governs", needsMore},
	{"cli", "expected entry", needsMore},
	{"cli command operator", "", commandLine},
}
