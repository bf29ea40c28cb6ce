package diagnosis

// Result is the result of a check.
type Result string

// These are the results.
const (
	OK      Result = "ok"
	Warning Result = "warning"
	Failed  Result = "failed"
	Skipped Result = "skipped"
)

// Side says who can repair a failure.
type Side string

// These are the sides.
const (
	Node          Side = "node"           // the node itself
	NodesAccount  Side = "nodes-account"  // IAM in the account of the nodes
	ImagesAccount Side = "images-account" // the owner of the images
	Endpoint      Side = "endpoint"       // the network or a policy of a VPC endpoint
	AWS           Side = "aws"
	Unknown       Side = "unknown" // AWS does not say
)

// Finding is what a check found: its result, with details.
type Finding struct {
	Result Result
	// Detail is what was found, in one line.
	Detail string
	// Hint says what to do, in one line.
	Hint string
	// Cause says who can repair a failure, and how.
	Cause Cause
}

// Cause says on whose side a failure is, and which statement is missing there.
type Cause struct {
	Side Side
	// Account is the account to change. It is empty if there is none, or if it is
	// not known.
	Account string
	// Missing is the missing statement. It is nil if none is missing, or if it is
	// not known.
	Missing *Missing
}

// Missing is a statement that is missing in a policy.
type Missing struct {
	// Kind is the kind of the policy, such as trust-policy.
	Kind string
	// AttachTo is the ARN or the name of the resource that has the policy.
	AttachTo string
	// Statement is written as JSON.
	Statement any
}

// Fine returns the finding of a check without problems.
func Fine(detail string) Finding { return Finding{Result: OK, Detail: detail} }

// Warn returns the finding of something that works but should be changed.
func Warn(detail, hint string) Finding { return Finding{Result: Warning, Detail: detail, Hint: hint} }

// Skip returns the finding of a check that could not run.
func Skip(detail string) Finding { return Finding{Result: Skipped, Detail: detail} }

// Fail returns the finding of something that does not work.
func Fail(side Side, detail, hint string) Finding {
	return Finding{Result: Failed, Detail: detail, Hint: hint, Cause: Cause{Side: side}}
}
