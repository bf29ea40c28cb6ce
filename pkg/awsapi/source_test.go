package awsapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestTriedSources: if no source has credentials, the message lists those in which the
// SDK has looked. If the configuration names the profile, the SDK ignores the keys of the
// environment.
func TestTriedSources(t *testing.T) {
	t.Parallel()
	imds := httptest.NewServer(redirecting{wire{status: http.StatusNotFound}, http.MethodGet})
	t.Cleanup(imds.Close)
	file := write(t, "config", "[default]\nregion = eu-west-1\n[profile other]\nregion = eu-west-1\n")
	const environment = "the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set), " +
		"a web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), "
	const rest = " (it has none), a container's endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI is not set), then the instance's profile by IMDS: "
	for name, test := range map[string]struct {
		profile string // of the configuration
		env     []string
		want    string
	}{
		"nothing is set":               {"", nil, environment + "profile default"},
		"half a pair of keys":          {"", []string{"AWS_ACCESS_KEY_ID=AKIAEXAMPLE"}, environment + "profile default"},
		"a profile of the environment": {"", []string{"AWS_PROFILE=other"}, environment + "profile other"},
		"the configuration's profile":  {"other", staticKeys, "profile other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := slices.Concat(test.env, []string{"AWS_CONFIG_FILE=" + file, "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + imds.URL})
			if got := inChild(t, "profile", env, test.profile); !strings.HasPrefix(got, "tried "+test.want+rest) {
				t.Errorf("got %s, want tried %s", got, test.want+rest)
			}
		})
	}
}

// TestMissingRegion: the SDK's own call of STS needs a region. The message and the hint
// say so, even if IMDS has answered just before.
func TestMissingRegion(t *testing.T) {
	t.Parallel()
	_, server := startAWS(t, fakeaws.Options{}, 0)
	const arn = "arn:aws:iam::111122223333:role/node"
	file := write(t, "config", "[profile instance]\nrole_arn = "+arn+"\ncredential_source = Ec2InstanceMetadata\n"+
		"[profile keys]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = x\n"+
		"[profile role]\nrole_arn = "+arn+"\nsource_profile = keys\n")
	token := write(t, "token", "x")
	for name, env := range map[string][]string{
		"role of the instance": {"AWS_PROFILE=instance"},
		"role of keys":         {"AWS_PROFILE=role"},
		"web identity":         {"AWS_WEB_IDENTITY_TOKEN_FILE=" + token, "AWS_ROLE_ARN=" + arn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := inChild(t, "hint", append(env, "AWS_CONFIG_FILE="+file, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+server.URL(fakeaws.IMDS)))
			want := "the SDK needs the node's region from AWS_REGION or the profile to call STS, and neither names one; set AWS_REGION in the provider's env"
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
