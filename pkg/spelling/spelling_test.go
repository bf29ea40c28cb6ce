package spelling

import "testing"

func TestSuggest(t *testing.T) {
	t.Parallel()
	fields := []string{"accounts", "exceptAccounts", "regions", "repositories", "assumeRoles", "whenRefused", "arn", "sts"}
	tests := []struct{ word, want string }{
		{"account", "accounts"},
		{"Accounts", "accounts"},
		{"ACCOUNTS", "accounts"},
		{"acounts", "accounts"},
		{"accuonts", "accounts"},
		{"exceptAccount", "exceptAccounts"},
		{"except_accounts", "exceptAccounts"},
		{"region", "regions"},
		{"repository", "repositories"},
		{"repos", ""},
		{"assumeRole", "assumeRoles"},
		{"assume-roles", "assumeRoles"},
		{"whenrefused", "whenRefused"},
		{"ARN", "arn"},
		{"arns", "arn"},
		{"st", "sts"},
		{"", ""},
		{"x", ""},
		{"providers", ""},
		{"something else altogether", ""},
	}
	for _, test := range tests {
		t.Run(test.word, func(t *testing.T) {
			t.Parallel()
			if got, ok := Suggest(test.word, fields); got != test.want || ok != (test.want != "") {
				t.Errorf("got %q, %t, want %q", got, ok, test.want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"abc", "abd", 1},
		{"abc", "ab", 1},
		{"abc", "acb", 2},
		{"kitten", "sitting", 3},
		{"registry", "registries", 3},
	}
	for _, test := range tests {
		t.Run(test.a+" "+test.b, func(t *testing.T) {
			t.Parallel()
			if got, back := distance(test.a, test.b), distance(test.b, test.a); got != test.want || back != test.want {
				t.Errorf("got %d and %d, want %d", got, back, test.want)
			}
		})
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	if got, want := DidYouMean("acount", []string{"region", "account"}), "; did you mean account?"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := DidYouMean("own", []string{"region", "account"}); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}
