package dockerconfig_test

import (
	"fmt"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/dockerconfig"
	"ecr-cross-account-credential-provider/pkg/secret"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	all := []dockerconfig.Credential{
		{Key: "b.example.com/team-a/", Login: secret.New("AWS:two")},
		{Key: "a.example.com", Login: secret.New("AWS:one:with:colons")},
	}
	encoded, err := dockerconfig.Encode(all)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"auths":{"a.example.com":{"auth":"QVdTOm9uZTp3aXRoOmNvbG9ucw=="},"b.example.com/team-a/":{"auth":"QVdTOnR3bw=="}}}`; string(encoded) != want {
		t.Errorf("got  %s\nwant %s", encoded, want)
	}
	logins, ok := dockerconfig.Decode(encoded)
	if !ok || len(logins) != len(all) {
		t.Fatalf("got %d logins, %t; want %d, true", len(logins), ok, len(all))
	}
	for _, c := range all {
		if !logins[c.Key].Equal(c.Login) {
			t.Errorf("%s: got another login, want the same", c.Key)
		}
	}
	if s := fmt.Sprintf("%v %+v", all, logins); strings.Contains(s, "one") {
		t.Errorf("got %s, want no login", s)
	}
}

// TestDecode: Decode also takes a Secret that a person has edited.
func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       int
		bad        bool
	}{
		{"empty", "", 0, true},
		{"not JSON", "SECRET", 0, true},
		{"another type", `{"auths":[]}`, 0, true},
		{"null", "null", 0, false},
		{"no auths", "{}", 0, false},
		{"not base64", `{"auths":{"a":{"auth":"?"},"b":{"auth":"QVdTOnR3bw=="}}}`, 1, false},
		{"without auth", `{"auths":{"a":{"username":"x","password":"y"}}}`, 0, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			logins, ok := dockerconfig.Decode([]byte(test.text))
			if ok == test.bad || len(logins) != test.want {
				t.Errorf("got %d logins, %t; want %d, %t", len(logins), ok, test.want, !test.bad)
			}
		})
	}
}
