//go:build linux

package attacks_test

import (
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestSDKFiles: an unreadable file of the AWS SDK is an error that names it, within
// the deadline and without a call. A missing file is allowed if the SDK allows it.
func TestSDKFiles(t *testing.T) {
	t.Parallel()
	for _, odd := range oddFiles() {
		if odd.name == "/dev/stdin" {
			continue // the kubelet gives a pipe, which TestStdin covers
		}
		for _, setting := range []string{
			"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE", "node.configFile",
			"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
		} {
			if odd.name == "dangling link" && setting != "AWS_CA_BUNDLE" && setting != "node.configFile" {
				continue
			}
			t.Run(odd.name+", "+setting, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				path := n.path("odd")
				n.place(odd, path)
				n.set(setting, path)
				says := setting
				if odd.name == "memory of the process" { // a regular file that cannot be read
					says = path
				}
				n.want(n.pull(image), outcome{class: failed, says: says})
				n.wantCalls(0, fakeaws.STS, fakeaws.ECR)
			})
		}
	}
}

// set makes a setting of the SDK name a file.
func (n *node) set(setting, path string) {
	n.t.Helper()
	switch setting {
	case "node.configFile":
		n.write("config.yaml", n.configuration(assume+"node: {configFile: "+path+"}\n"))
	case "AWS_WEB_IDENTITY_TOKEN_FILE":
		n.env = append(n.env, "AWS_ROLE_ARN="+nodeRole, setting+"="+path)
	case "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE":
		n.env = append(n.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/", setting+"="+path)
	default:
		n.env = append(n.env, setting+"="+path)
	}
}

// TestFilesOfProfiles: an unreadable file that a profile names is an error like that of
// TestSDKFiles.
func TestFilesOfProfiles(t *testing.T) {
	t.Parallel()
	for _, odd := range oddFiles() {
		if odd.name == "/dev/stdin" || odd.name == "dangling link" {
			continue
		}
		for _, key := range []string{"ca_bundle", "web_identity_token_file"} {
			t.Run(odd.name+", "+key, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				n.place(odd, n.path("odd"))
				n.env = append(n.env, "AWS_CONFIG_FILE="+n.write("aws", "[default]\nregion = eu-west-1\nrole_arn = "+nodeRole+"\n"+key+" = "+n.path("odd")+"\n"))
				n.want(n.pull(image), outcome{class: failed, says: n.path("odd")})
				n.wantCalls(0, fakeaws.STS, fakeaws.ECR)
			})
		}
	}
}

// TestEndlessFiles: a file of size 0 may have endless content. The plugin reads only a
// limited part. Otherwise it would crash in its 1 GB of address space.
func TestEndlessFiles(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE", "node.configFile"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.set(setting, "/proc/self/pagemap")
			n.want(n.finish(n.shell(littleMemory)), outcome{class: failed, says: "/proc/self/pagemap"})
		})
	}
}

// TestSDKTexts: no content of an SDK file crashes the plugin or appears in its output.
func TestSDKTexts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ setting, text string }{
		"no profile":           {"AWS_CONFIG_FILE", "LEAKED"},
		"unclosed profile":     {"AWS_CONFIG_FILE", "[default\nLEAKED = LEAKED\n"},
		"1 MB of brackets":     {"AWS_CONFIG_FILE", strings.Repeat("[", 1<<20)},
		"1 MB of one line":     {"AWS_CONFIG_FILE", "[default]\nx = " + strings.Repeat("LEAKED", 150_000)},
		"NUL":                  {"AWS_CONFIG_FILE", "[default]\nregion = eu-west-1\x00\n"},
		"source of itself":     {"AWS_CONFIG_FILE", "[default]\nrole_arn = " + nodeRole + "\nsource_profile = default\n"},
		"cycle of sources":     {"AWS_CONFIG_FILE", "[default]\nrole_arn = " + nodeRole + "\nsource_profile = b\n[profile b]\nrole_arn = " + nodeRole + "\nsource_profile = default\n"},
		"half of a key":        {"AWS_SHARED_CREDENTIALS_FILE", "[default]\naws_secret_access_key = LEAKEDLEAKED\n"},
		"secret as profile":    {"AWS_SHARED_CREDENTIALS_FILE", "[LEAKED]\naws_access_key_id = a\naws_secret_access_key = b\n"},
		"bundle is not PEM":    {"AWS_CA_BUNDLE", "LEAKED"},
		"bundle is a key":      {"AWS_CA_BUNDLE", "-----BEGIN PRIVATE KEY-----\nLEAKED\n-----END PRIVATE KEY-----\n"},
		"token is not a JWT":   {"AWS_WEB_IDENTITY_TOKEN_FILE", "LEAKED-hunter2-token"},
		"token of 1 MB":        {"AWS_WEB_IDENTITY_TOKEN_FILE", strings.Repeat("LEAKED", 170_000)},
		"token with a newline": {"AWS_WEB_IDENTITY_TOKEN_FILE", "LEAKED\r\nX-Evil: LEAKED"},
		"empty token":          {"AWS_WEB_IDENTITY_TOKEN_FILE", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.set(test.setting, n.write("text", test.text))
			got := n.pull(image)
			if got.status == 0 { // the file has no credentials, but the instance does
				n.want(got, outcome{})
				return
			}
			n.want(got, outcome{class: failed})
		})
	}
}

// TestSDKSettings: no variable makes the plugin send credentials unencrypted to
// another host.
func TestSDKSettings(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"AWS_ENDPOINT_URL_STS=http://192.0.2.1/", "AWS_ENDPOINT_URL_ECR=http://192.0.2.1/", "AWS_ENDPOINT_URL_STS=http://127.0.0.1.evil.example/",
		"AWS_ENDPOINT_URL_STS=http://localhost.evil.example/", "AWS_ENDPOINT_URL_STS=ftp://127.0.0.1/", "AWS_ENDPOINT_URL_STS=http://[::ffff:192.0.2.1]/",
		"AWS_ENDPOINT_URL_STS=http://127.0.0.1@192.0.2.1/", "AWS_ENDPOINT_URL_STS=//127.0.0.1/", "AWS_ENDPOINT_URL_STS=\x7f",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://192.0.2.1/", "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.env = append(n.env, setting, "AWS_MAX_ATTEMPTS=1")
			n.want(n.pull(image), outcome{class: failed})
		})
	}
}
