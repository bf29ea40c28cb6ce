package rule_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/rule"
)

const annotationKey = rule.DefaultRoleAnnotation

const annotationOf = "the service account's annotation " + annotationKey + ": "

func TestParseRolePattern(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, pattern string
		ok            bool
	}{
		{"plain", pull, true},
		{"star at the end", "arn:aws:iam::444455556666:role/pull-*", true},
		{"star alone", "arn:aws:iam::444455556666:role/*", true},
		{"stars everywhere", "arn:aws:iam::444455556666:role/*/a*b/*-pull-*", true},
		{"two stars", "arn:aws:iam::444455556666:role/**", true},
		{"all placeholders", "arn:{partition}:iam::{account}:role/{region}/pull-{account}-*", true},
		{"other partition", "arn:aws-cn:iam::444455556666:role/*", true},
		{"longest name", "arn:aws:iam::444455556666:role/*" + strings.Repeat("n", 63), true},

		{"empty", "", false},
		{"star for all", "*", false},
		{"star for account and role", "arn:aws:iam::*", false},
		{"star for the account", "arn:aws:iam::*:role/pull", false},
		{"star in the account", "arn:aws:iam::44445555666*:role/pull", false},
		{"star before the account", "arn:aws:iam::*444455556666:role/pull", false},
		{"star for the partition", "arn:*:iam::444455556666:role/pull", false},
		{"star in the partition", "arn:aws*:iam::444455556666:role/pull", false},
		{"star for the service", "arn:aws:*::444455556666:role/pull", false},
		{"star for the region", "arn:aws:iam:*:444455556666:role/pull", false},
		{"star for the type", "arn:aws:iam::444455556666:*/pull", false},
		{"star in the type", "arn:aws:iam::444455556666:rol*/pull", false},
		{"star for type and name", "arn:aws:iam::444455556666:*", false},
		{"star for the slash", "arn:aws:iam::444455556666:role*pull", false},
		{"star in a placeholder", "arn:aws:iam::{acc*unt}:role/pull", false},
		{"star in a placeholder of the name", "arn:aws:iam::444455556666:role/{reg*on}", false},
		{"question mark", "arn:aws:iam::444455556666:role/pull-?", false},
		{"class", "arn:aws:iam::444455556666:role/pull-[ab]", false},
		{"backslash", `arn:aws:iam::444455556666:role/pull-\*`, false},
		{"alternatives", "arn:aws:iam::444455556666:role/{a,b}", false},
		{"unknown placeholder", "arn:aws:iam::444455556666:role/{namespace}-*", false},
		{"open brace", "arn:aws:iam::444455556666:role/{account-*", false},
		{"user", "arn:aws:iam::444455556666:user/*", false},
		{"session", "arn:aws:sts::444455556666:assumed-role/*", false},
		{"no name", "arn:aws:iam::444455556666:role/", false},
		{"star of the path alone", "arn:aws:iam::444455556666:role/*/", false},
		{"two slashes", "arn:aws:iam::444455556666:role//*", false},
		{"dots", "arn:aws:iam::444455556666:role/../*", false},
		{"newline", "arn:aws:iam::444455556666:role/*\n", false},
		{"NUL", "arn:aws:iam::444455556666:role/*\x00", false},
		{"endless", "arn:aws:iam::444455556666:role/" + strings.Repeat("*", 100<<10), false},
		{"endless escapes", strings.Repeat("\xff*", 50<<10), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			pattern, err := rule.ParseRolePattern(test.pattern)
			if (err == nil) != test.ok {
				t.Fatalf("got error %v; want it accepted: %t", err, test.ok)
			}
			if !test.ok {
				checkMessage(t, err)
				want := " is not a pattern of role ARNs; want arn:PARTITION:iam::ACCOUNT:role/NAME, with * in path and name only"
				if parts := strings.SplitN(test.pattern, ":", 6); len(parts) == 6 && strings.Contains(parts[4], "*") {
					want = " is not a pattern of role ARNs: the account cannot be a pattern; want its 12 digits, or {account} for the registry's"
				}
				if !strings.HasSuffix(err.Error(), want) {
					t.Errorf("got %v\nwant it to end in %s", err, want)
				}
				return
			}
			if pattern.String() != test.pattern {
				t.Errorf("String() = %q, want %q", pattern, test.pattern)
			}
		})
	}
}

func TestRolePatternMatch(t *testing.T) {
	t.Parallel()
	const of = "arn:aws:iam::" + teamA + ":role/"
	tests := []struct {
		name, pattern, arn string // both without the prefix `of`, unless they start with arn:
		want               bool
	}{
		{"itself", "pull", "pull", true},
		{"another name", "pull", "push", false},
		{"another case", "pull", "Pull", false},
		{"longer", "pull", "pull-x", false},
		{"shorter", "pull", "pul", false},
		{"end of the name", "pull", "x-pull", false},
		{"in another path", "pull", "a/pull", false},
		{"without the path", "a/pull", "pull", false},
		{"path", "a/b/pull", "a/b/pull", true},

		{"star", "pull-*", "pull-team-a", true},
		{"star for an empty text", "pull-*", "pull-", true},
		{"text before a star at the end", "pull-*", "push-pull-a", false},
		{"star at the start", "*-pull", "team-a-pull", true},
		{"text after a star at the start", "*-pull", "team-a-pull-x", false},
		{"star inside", "a*z", "abcz", true},
		{"star inside for an empty text", "a*z", "az", true},
		{"text after the match", "a*z", "aza", false},
		{"two parts", "*-pull-*", "a-pull-b-pull-c", true},
		{"any name", "*", "anything+=,.@-_", true},
		{"stars side by side", "**", "anything", true},

		{"star and slash", "pull-*", "pull-a/b", false},
		{"star and a slash at its start", "pull-*", "pull-/admin", false},
		{"star alone and slash", "*", "a/b", false},
		{"two stars and slash", "**", "a/b", false},
		{"star for a part of the path", "*/pull", "a/pull", true},
		{"star for parts of the path", "*/pull", "a/b/pull", false},
		{"star for no part of the path", "*/pull", "pull", false},
		{"star in each part", "a*/*b", "ax/yb", true},

		{"account of the registry", "arn:aws:iam::{account}:role/*", "x", true},
		{"account of another registry", "arn:aws:iam::{account}:role/*", "arn:aws:iam::" + teamB + ":role/x", false},
		{"another account by name", "arn:aws:iam::" + teamB + ":role/*", "arn:aws:iam::" + teamB + ":role/x", true},
		{"not the named account", "arn:aws:iam::" + teamB + ":role/*", "x", false},
		{"account in the name", "pull-{account}", "pull-" + teamA, true},
		{"another account in the name", "pull-{account}", "pull-" + teamB, false},
		{"region", "{region}/*", "eu-west-1/x", true},
		{"another region", "{region}/*", "eu-west-2/x", false},
		{"partition", "arn:{partition}:iam::" + teamA + ":role/{partition}-*", "aws-x", true},
		{"a dot is plain text", "a.b", "axb", false},
		{"a plus is plain text", "ab+", "abb", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !strings.HasPrefix(test.pattern, "arn:") {
				test.pattern = of + test.pattern
			}
			if !strings.HasPrefix(test.arn, "arn:") {
				test.arn = of + test.arn
			}
			arn, err := roleOf(t, allowed(t, test.pattern), test.arn)
			if (err == nil) != test.want {
				t.Fatalf("got %q, %v; want it allowed: %t", arn, err, test.want)
			}
			if want := annotationOf + "role " + test.arn + " is not one of allowedRoles (" + test.pattern + ")"; err != nil && err.Error() != want {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}

// TestRolePatternDependsOnRegistry: the account is the registry's or a fixed one, and the
// region can be anywhere in path and name.
func TestRolePatternDependsOnRegistry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, account string
		region           bool
	}{
		{"arn:aws:iam::444455556666:role/pull-*", "444455556666", false},
		{"arn:{partition}:iam::{account}:role/pull-{account}", "", false},
		{"arn:aws:iam::{account}:role/pull-{region}", "", true},
		{"arn:aws:iam::444455556666:role/{region}/*", "444455556666", true},
	}
	for _, test := range tests {
		pattern := allowed(t, test.pattern).AllowedRoles[0]
		if account, fixed := pattern.Account(); account.String() != test.account || fixed != (test.account != "") {
			t.Errorf("%s: got account %q, %t, want %q", test.pattern, account, fixed, test.account)
		}
		if got := pattern.DependsOnRegion(); got != test.region {
			t.Errorf("%s: DependsOnRegion() = %t, want %t", test.pattern, got, test.region)
		}
	}
}

// TestServiceAccountRole: an annotation must be the ARN of an allowed role. Any other
// text is an error.
func TestServiceAccountRole(t *testing.T) {
	t.Parallel()
	const form = "arn:PARTITION:iam::ACCOUNT:role/NAME"
	wide := allowed(t, "arn:{partition}:iam::{account}:role/*", "arn:aws:iam::"+teamB+":role/shared/*", "arn:{partition}:iam::{account}:role/*/*")
	open := rule.ServiceAccount{RoleAnnotation: annotationKey, AnyRole: true}
	template := newRole(t, "arn:{partition}:iam::{account}:role/{region}/everyone")
	wide.RoleARN, open.RoleARN = &template, &template
	tests := []struct{ name, arn, want string }{ // want is the end of the message, "" if the role is accepted
		{"a role", pull, ""},
		{"in a path", "arn:aws:iam::444455556666:role/a/ecr-pull", ""},
		{"in another account", "arn:aws:iam::777788889999:role/shared/pull", ""},
		{"longest name", "arn:aws:iam::444455556666:role/" + strings.Repeat("n", 64), ""},
		{"dots in names", "arn:aws:iam::444455556666:role/..a/b..", ""},

		{"empty", "", annotationOf + "is empty; name a role, or remove the annotation"},
		{"spaces", "  ", `"  " is not an IAM role ARN; want ` + form},
		{"name alone", "ecr-pull", `"ecr-pull" is not an IAM role ARN; want ` + form},
		{"space before", " " + pull, `" ` + pull + `" is not an IAM role ARN; want ` + form},
		{"newline after", pull + "\n", `"` + pull + `\n" is not an IAM role ARN: a role's name has 1 to 64 letters, digits or any of _+=,.@-`},
		{"newline and another", pull + "\n" + pull, `in parts separated by one slash`},
		{"NUL after", pull + "\x00", `"` + pull + `\x00" is not an IAM role ARN: a role's name has 1 to 64 letters, digits or any of _+=,.@-`},
		{"return in the path", "arn:aws:iam::444455556666:role/a\r/b", "in parts separated by one slash"},
		{"escape", pull + "\x1b[2J", `any of _+=,.@-`},
		{"not UTF-8", pull + "\xff", `any of _+=,.@-`},
		{"user", "arn:aws:iam::444455556666:user/ecr-pull", "is not an IAM role ARN: want " + form},
		{"user with a role's path", "arn:aws:iam::444455556666:user/role/x", "is not an IAM role ARN: want " + form},
		{"root", "arn:aws:iam::444455556666:root", "is not an IAM role ARN: want " + form},
		{"session", "arn:aws:sts::444455556666:assumed-role/x/y", "is not an IAM role ARN; want " + form},
		{"glob", "arn:aws:iam::444455556666:role/*", `any of _+=,.@-`},
		{"glob in the account", "arn:aws:iam::*:role/x", "the account cannot be a pattern; want its 12 digits, or {account} for the registry's"},
		{"the allowed pattern itself", "arn:{partition}:iam::{account}:role/*", `any of _+=,.@-`},
		{"question mark", "arn:aws:iam::444455556666:role/ecr-pul?", `any of _+=,.@-`},
		{"placeholder for the account", "arn:aws:iam::{account}:role/x", `"arn:aws:iam::{account}:role/x" is not an IAM role ARN; want ` + form},
		{"placeholder for the partition", "arn:{partition}:iam::444455556666:role/x", `is not an IAM role ARN; want ` + form},
		{"placeholder in the name", "arn:aws:iam::444455556666:role/{account}", `is not an IAM role ARN; want ` + form},
		{"unknown placeholder", "arn:aws:iam::444455556666:role/{x}", `unknown placeholder "{x}"; here {account}, {region}, {partition} can be used`},
		{"brace", "arn:aws:iam::444455556666:role/x}", "has a } without a {"},
		{"up", "arn:aws:iam::444455556666:role/../x", "is not an IAM role ARN: a role's path cannot have . or .. as a part"},
		{"up inside", "arn:aws:iam::444455556666:role/a/../x", "a role's path cannot have . or .. as a part"},
		{"up at the end", "arn:aws:iam::444455556666:role/a/..", "a role's path cannot have . or .. as a part"},
		{"here", "arn:aws:iam::444455556666:role/./x", "a role's path cannot have . or .. as a part"},
		{"double slash", "arn:aws:iam::444455556666:role/a//x", "in parts separated by one slash"},
		{"escaped slash", "arn:aws:iam::444455556666:role/a%2fx", `any of _+=,.@-`},
		{"other partition", "arn:aws-cn:iam::444455556666:role/ecr-pull", annotationOf +
			"role arn:aws-cn:iam::444455556666:role/ecr-pull is in partition aws-cn and the registry in aws; roles are assumed within one partition only"},
		{"no such partition", "arn:aws-mars:iam::444455556666:role/ecr-pull", "is not a partition; want one of aws, aws-us-gov, aws-cn, aws-eusc, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f"},
		{"11 digits", "arn:aws:iam::44445555666:role/x", `"44445555666" is not an account number; want 12 digits`},
		{"digits of another script", "arn:aws:iam::٤٤٤٤٥٥٥٥٦٦٦٦:role/x", "is not an account number; want 12 digits"},

		{"100 KB of a name", "arn:aws:iam::444455556666:role/" + strings.Repeat("n", 100<<10), `any of _+=,.@-`},
		{"100 KB of slashes", "arn:aws:iam::444455556666:role" + strings.Repeat("/", 100<<10), `any of _+=,.@-`},
		{"100 KB of a path", "arn:aws:iam::444455556666:role/" + strings.Repeat("a/", 50<<10) + "x", "in parts separated by one slash"},
		{"100 KB of NULs", strings.Repeat("\x00", 100<<10), "is not an IAM role ARN; want " + form},
		{"100 KB for a partition", "arn:" + strings.Repeat("\xff", 100<<10) + ":iam::444455556666:role/x", "aws-iso-f"},
		{"100 KB for an account", "arn:aws:iam::" + strings.Repeat("\xff", 100<<10) + ":role/x", "want 12 digits"},
		{"100 KB for a placeholder", "arn:aws:iam::444455556666:role/{" + strings.Repeat("\xff", 100<<10) + "}", "can be used"},
		{"100 KB of braces", "arn:aws:iam::444455556666:role/" + strings.Repeat("{account}", 11<<10), "any of _+=,.@-"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for name, s := range map[string]rule.ServiceAccount{"allowed": wide, "any role": open} {
				got, err := roleOf(t, s, test.arn)
				switch {
				case test.want == "" && (err != nil || got != test.arn):
					t.Errorf("%s: got %q, %v, want %q", name, got, err, test.arn)
				case test.want != "" && err == nil:
					t.Errorf("%s: got %q, want an error", name, got)
				case test.want != "":
					checkMessage(t, err)
					if got != "" || !strings.HasPrefix(err.Error(), annotationOf) || !strings.HasSuffix(err.Error(), test.want) {
						t.Errorf("%s: got %q, %v\nwant it to end in %s", name, got, err, test.want)
					}
				}
			}
		})
	}
}

// TestServiceAccountRoleAllowed: a valid role is accepted only if a pattern matches
// it. No other role replaces it.
func TestServiceAccountRoleAllowed(t *testing.T) {
	t.Parallel()
	const evil = "arn:aws:iam::777788889999:role/evil"
	template := newRole(t, pull)
	withRole := allowed(t, "arn:aws:iam::{account}:role/pull-*")
	withRole.RoleARN, withRole.NodeWhenNoRole = &template, true
	var many []string
	for range 100 {
		many = append(many, "arn:aws:iam::444455556666:role/"+strings.Repeat("n", 60)+"*")
	}
	tests := []struct {
		name string
		s    rule.ServiceAccount
		want string
	}{
		{"none", rule.ServiceAccount{RoleAnnotation: annotationKey}, "role " + evil + " is not one of allowedRoles ()"},
		{"the zero pattern", rule.ServiceAccount{RoleAnnotation: annotationKey, AllowedRoles: make([]rule.RolePattern, 1)}, "role " + evil + " is not one of allowedRoles ()"},
		{"others", allowed(t, "arn:aws:iam::{account}:role/pull-*", pull), "role " + evil + " is not one of allowedRoles (arn:aws:iam::{account}:role/pull-*, " + pull + ")"},
		{"other, and a role for all", withRole, "role " + evil + " is not one of allowedRoles (arn:aws:iam::{account}:role/pull-*)"},
		{"a hundred others", allowed(t, many...), "…)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := roleOf(t, test.s, evil)
			if err == nil || got != "" {
				t.Fatalf("got %q, %v, want only an error", got, err)
			}
			checkMessage(t, err)
			if !strings.HasPrefix(err.Error(), annotationOf) || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
			if errors.Is(err, rule.ErrNoRole) {
				t.Error("got ErrNoRole for a role that is not allowed, want another error")
			}
		})
	}
	if got, err := roleOf(t, rule.ServiceAccount{RoleAnnotation: annotationKey, AnyRole: true}, evil); err != nil || got != evil {
		t.Errorf("with AnyRole: got %q, %v, want %q", got, err, evil)
	}
}

// TestServiceAccountRoleUnannotated: a service account without the annotation has
// the configuration's role, or none.
func TestServiceAccountRoleUnannotated(t *testing.T) {
	t.Parallel()
	role := func(arn string) *rule.RoleTemplate {
		template := newRole(t, arn)
		return &template
	}
	tests := []struct {
		name        string
		roleARN     *rule.RoleTemplate
		annotations map[string]string
		image       string
		want        string
		wantErr     string
	}{
		{"no annotations", nil, nil, teamA + "/eu-west-1/app", "", "no role"},
		{"other annotations", nil, map[string]string{"eks.amazonaws.com/role-arn": pull, "": pull}, teamA + "/eu-west-1/app", "", "no role"},
		{"key in other case", nil, map[string]string{strings.ToUpper(annotationKey): pull}, teamA + "/eu-west-1/app", "", "no role"},
		{"a role", role(pull), nil, teamA + "/eu-west-1/app", pull, ""},
		{"a role in another account", role(pull), nil, teamB + "/eu-west-1/app", pull, ""},
		{
			"all placeholders", role("arn:{partition}:iam::{account}:role/{region}/pull-{account}"), nil, teamB + "/cn-north-1/app",
			"arn:aws-cn:iam::777788889999:role/cn-north-1/pull-777788889999", "",
		},
		{
			"another partition", role(pull), nil, teamA + "/us-gov-west-1/app", "",
			"role " + pull + " is in partition aws and the registry in aws-us-gov; roles are assumed within one partition only",
		},
		{"an annotation has priority", role(pull), map[string]string{annotationKey: "arn:aws:iam::444455556666:role/a"}, teamA + "/eu-west-1/app", "arn:aws:iam::444455556666:role/a", ""},
		{"an empty annotation has priority, too", role(pull), map[string]string{annotationKey: ""}, teamA + "/eu-west-1/app", "", annotationOf + "is empty; name a role, or remove the annotation"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := allowed(t, "arn:aws:iam::{account}:role/*")
			s.RoleARN = test.roleARN
			got, err := s.Role(newImage(t, test.image).Registry(), test.annotations)
			if got != test.want || (err == nil) != (test.wantErr == "") || err != nil && err.Error() != test.wantErr {
				t.Errorf("got %q, %v, want %q, %q", got, err, test.want, test.wantErr)
			}
			if errors.Is(err, rule.ErrNoRole) != (test.wantErr == "no role") {
				t.Errorf("errors.Is(%v, ErrNoRole) is wrong for the wanted error %q", err, test.wantErr)
			}
		})
	}
}

// TestServiceAccountRoleKey: the configuration chooses the annotation.
func TestServiceAccountRoleKey(t *testing.T) {
	t.Parallel()
	s := rule.ServiceAccount{RoleAnnotation: "example.com/role", AnyRole: true}
	reg := newImage(t, teamA+"/eu-west-1/app").Registry()
	if got, err := s.Role(reg, map[string]string{annotationKey: "x", "example.com/role": pull}); err != nil || got != pull {
		t.Errorf("got %q, %v, want %q", got, err, pull)
	}
	if _, err := s.Role(reg, map[string]string{annotationKey: pull}); !errors.Is(err, rule.ErrNoRole) {
		t.Errorf("got %v, want ErrNoRole", err)
	}
	_, err := s.Role(reg, map[string]string{"example.com/role": ""})
	if want := "the service account's annotation example.com/role: is empty; name a role, or remove the annotation"; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// FuzzServiceAccountRole: an annotation is accepted if and only if it is a role's
// ARN and the pattern, as a regular expression, matches all of it.
func FuzzServiceAccountRole(f *testing.F) {
	f.Add("arn:aws:iam::444455556666:role/pull-*", "arn:aws:iam::444455556666:role/pull-a")
	f.Add("arn:{partition}:iam::{account}:role/{region}/*", "arn:aws:iam::444455556666:role/us-east-1/a/b")
	f.Add("arn:aws:iam::444455556666:role/*/*b*", "arn:aws:iam::444455556666:role/../b")
	f.Add("arn:aws:iam::*:role/[a-z]?", "arn:aws:iam::{account}:role/\n")
	f.Fuzz(func(t *testing.T, pattern, arn string) {
		parsed, err := rule.ParseRolePattern(pattern)
		if err != nil {
			checkMessage(t, err)
			return
		}
		s := rule.ServiceAccount{RoleAnnotation: annotationKey, AllowedRoles: []rule.RolePattern{parsed}}
		got, err := s.Role(newImage(t, teamA+"/us-east-1/app").Registry(), map[string]string{annotationKey: arn})
		if err != nil {
			checkMessage(t, err)
		}
		text := strings.NewReplacer("{partition}", "aws", "{account}", teamA, "{region}", "us-east-1").Replace(pattern)
		model := regexp.MustCompile(`^(?s:` + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `[^/]*`) + `)$`)
		_, notARole := rule.NewRoleTemplate(arn)
		want := model.MatchString(arn) && notARole == nil && !strings.Contains(arn, "{")
		if (err == nil) != want {
			t.Errorf("annotation %q, pattern %q: got %q, %v; want it accepted: %t", arn, pattern, got, err, want)
		}
		if err == nil && (got != arn || !stsARN.MatchString(got)) {
			t.Errorf("got %q, want %q", got, arn)
		}
	})
}

func allowed(t *testing.T, patterns ...string) rule.ServiceAccount {
	t.Helper()
	s := rule.ServiceAccount{RoleAnnotation: annotationKey}
	for _, text := range patterns {
		pattern, err := rule.ParseRolePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		s.AllowedRoles = append(s.AllowedRoles, pattern)
	}
	return s
}

// roleOf returns the role of a service account with the annotation, for a registry
// of teamA in eu-west-1.
func roleOf(t *testing.T, s rule.ServiceAccount, arn string) (string, error) {
	t.Helper()
	return s.Role(newImage(t, teamA+"/eu-west-1/app").Registry(), map[string]string{annotationKey: arn})
}

// checkMessage checks a message that any pod can cause.
func checkMessage(t *testing.T, err error) {
	t.Helper()
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' }) {
		t.Errorf("got %q, want one line of text", err)
	}
	if len(err.Error()) >= 1<<10 {
		t.Errorf("got a message of %d bytes, want less than 1 KiB", len(err.Error()))
	}
}
