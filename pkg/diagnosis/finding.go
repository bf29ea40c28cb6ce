package diagnosis

// Result is what a check came to.
type Result string

// The results.
const (
	OK      Result = "ok"
	Warning Result = "warning"
	Failed  Result = "failed"
	Skipped Result = "skipped"
)

// Side is who can repair something.
type Side string

// The sides.
const (
	Node          Side = "node"           // the node itself
	NodesAccount  Side = "nodes-account"  // IAM in the account of the nodes
	ImagesAccount Side = "images-account" // the owner of the images
	Endpoint      Side = "endpoint"       // the network or a policy of a VPC endpoint
	AWS           Side = "aws"
	Unknown       Side = "unknown" // AWS does not say
)

// Finding is the result of a check.
type Finding struct {
	Result Result
	// Detail is what was found, in one line.
	Detail string
	// Hint says what to do, in one line.
	Hint string
	// Cause says who can repair a failure, and how.
	Cause Cause
}

// Cause is whose side a failure is on, and the statement that is missing there.
type Cause struct {
	Side Side
	// Account is the account to change; empty if it is none, or not known.
	Account string
	// Missing is the missing statement; nil if none is missing, or it is not known.
	Missing *Missing
}

// Missing is a statement that a policy must have.
type Missing struct {
	// Kind is the kind of the policy, such as trust-policy.
	Kind string
	// AttachTo is the ARN or the name of what has the policy.
	AttachTo string
	// Statement is written as JSON.
	Statement any
}

// Fine is the finding that all is well.
func Fine(detail string) Finding { return Finding{Result: OK, Detail: detail} }

// Warn is the finding of something that works but is not as it should be.
func Warn(detail, hint string) Finding { return Finding{Result: Warning, Detail: detail, Hint: hint} }

// Skip is the finding that nothing was found out.
func Skip(detail string) Finding { return Finding{Result: Skipped, Detail: detail} }

// Fail is the finding that something does not work.
func Fail(side Side, detail, hint string) Finding {
	return Finding{Result: Failed, Detail: detail, Hint: hint, Cause: Cause{Side: side}}
}
