package doctor

import (
	"regexp"
	"strings"
)

// denial is what AWS's message says about a denied action (IAM User Guide,
// "Troubleshoot access denied error messages"). Fields that the message does not
// mention are empty.
type denial struct {
	// user is the ARN of the caller. action and resource are those of the request.
	user, action, resource string
	// policy is the type of the policy that denies, such as "identity-based policy".
	policy policyType
	// explicit means that a statement denies the action. Otherwise no statement
	// allows it.
	explicit bool
}

type policyType string

const (
	identityBased policyType = "identity-based policy"
	resourceBased policyType = "resource-based policy"
	boundary      policyType = "permissions boundary"
	session       policyType = "session policy"
	serviceSCP    policyType = "service control policy"
	resourceRCP   policyType = "resource control policy"
	endpoint      policyType = "VPC endpoint policy"
)

var (
	whoPattern      = regexp.MustCompile(`User: (\S+)`)
	whatPattern     = regexp.MustCompile(`(?i)not authorized to perform:? ([\w-]+:\w+)`)
	resourcePattern = regexp.MustCompile(`on resource: (\S+)`)
	reasonPattern   = regexp.MustCompile(`(because no|with an explicit deny in an?) (identity-based policy|resource-based policy|permissions boundary|session policy|service control policy|resource control policy|VPC endpoint policy)`)
)

// parseDenial parses AWS's message. It reports false if the message does not deny
// an action.
func parseDenial(text string) (denial, bool) {
	d := denial{
		user:     submatch(whoPattern, text, 1),
		action:   submatch(whatPattern, text, 1),
		resource: submatch(resourcePattern, text, 1),
		policy:   policyType(submatch(reasonPattern, text, 2)),
	}
	d.explicit = strings.HasPrefix(submatch(reasonPattern, text, 1), "with")
	return d, d.action != ""
}

func submatch(pattern *regexp.Regexp, text string, n int) string {
	if found := pattern.FindStringSubmatch(text); found != nil {
		return found[n]
	}
	return ""
}

// accountOf returns the account in an ARN, or "" if there is none.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}
