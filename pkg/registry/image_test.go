package registry_test

import (
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
)

const (
	host   = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
	digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func TestParseReference(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, image, server, repository string }{
		{"bare", host + "/app", host, "app"},
		{"tag", host + "/app:v1.2.3-rc_1", host, "app"},
		{"tag in capitals", host + "/app:Latest", host, "app"},
		{"tag that starts with an underscore", host + "/app:_", host, "app"},
		{"longest tag", host + "/app:" + strings.Repeat("t", 128), host, "app"},
		{"digest", host + "/app" + digest, host, "app"},
		{"digest in capitals", host + "/app@sha256:" + strings.Repeat("AB", 32), host, "app"},
		{"digest of another algorithm", host + "/app@sha512+b64u:" + strings.Repeat("0", 128), host, "app"},
		{"tag and digest", host + "/app:v1" + digest, host, "app"},
		{"port 443", host + ":443/app", host + ":443", "app"},
		{"port 443, tag and digest", host + ":443/team-a/app:v1" + digest, host + ":443", "team-a/app"},
		{"deep path", host + "/a/b/c/d/e/f/g", host, "a/b/c/d/e/f/g"},
		{"pull-through cache", host + "/docker-hub/library/alpine:3", host, "docker-hub/library/alpine"},
		{"separators", host + "/a.b_c__d-e---f/0.1", host, "a.b_c__d-e---f/0.1"},
		{"digits", host + "/0", host, "0"},
		{"longest repository", host + "/" + strings.Repeat("a", 256), host, strings.Repeat("a", 256)},
		{"repository that looks like a host", host + "/docker.io/library/app", host, "docker.io/library/app"},
		{
			"repository that is a registry's host", host + "/111122223333.dkr.ecr.us-east-1.amazonaws.com/app",
			host, "111122223333.dkr.ecr.us-east-1.amazonaws.com/app",
		},
		{
			"account of zeros", "000000000000.dkr.ecr.eu-west-1.amazonaws.com/app",
			"000000000000.dkr.ecr.eu-west-1.amazonaws.com", "app",
		},
		{"public with port", "public.ecr.aws:443/eks/pause:3.10", "public.ecr.aws:443", "eks/pause"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			image, ok := registry.Parse(test.image)
			if !ok {
				t.Fatalf("not in ECR: %v", registry.WhyNotECR(test.image))
			}
			if image.Server() != test.server || image.Repository() != test.repository {
				t.Errorf("got %q and %q, want %q and %q", image.Server(), image.Repository(), test.server, test.repository)
			}
			if want := test.server + "/" + test.repository; image.String() != want {
				t.Errorf("String() = %q, want %q", image, want)
			}
			if got, want := image.Registry().Host(), strings.TrimSuffix(test.server, ":443"); got != want {
				t.Errorf("Host() = %q, want %q", got, want)
			}
			if err := registry.WhyNotECR(test.image); err != nil {
				t.Errorf("WhyNotECR returns %v, want nil", err)
			}
		})
	}
}

func TestWhyNotECR(t *testing.T) {
	t.Parallel()
	const (
		noSlash    = "a name without a registry host belongs to Docker Hub"
		noPort     = "an ECR registry has only port 443"
		noHost     = "the host is not that of an ECR registry, such as 444455556666.dkr.ecr.eu-west-1.amazonaws.com"
		noPath     = "the path is not a repository's name: lower-case letters, digits and . _ - between them, in parts separated by slashes"
		noTag      = "what follows the colon is not a tag"
		noDigest   = "what follows the @ is not a digest"
		tooLong    = "the name is longer than 1024 characters"
		wrongWorld = "region %r of partition %p has no registry host of this form and suffix"
	)
	world := func(region, partition string) string {
		return strings.NewReplacer("%r", region, "%p", partition).Replace(wrongWorld)
	}
	noAccount := func(s string) string { return `"` + s + `" is not an account number; want 12 digits` }
	noRegion := func(s string) string { return `"` + s + `" is not a region; want a name such as eu-west-1` }
	tests := []struct{ name, image, want string }{
		{"nothing", "", noSlash},
		{"short name", "busybox", noSlash},
		{"host alone", host, noSlash},
		{"Docker Hub", "docker.io/library/busybox", noHost},
		{"another cloud", "europe-docker.pkg.dev/project/app", noHost},
		{"no host", "/app", noHost},
		{"no repository", host + "/", noPath},
		{"tag without repository", host + "/:v1", noPath},

		{"another port", host + ":8443/app", noPort},
		{"port 80", host + ":80/app", noPort},
		{"empty port", host + ":/app", noPort},
		{"port with a leading zero", host + ":0443/app", noPort},
		{"two ports", host + ":443:443/app", noPort},
		{"local registry", "localhost:5000/app", noHost},
		{"port of ECR Public", "public.ecr.aws:5000/app", noPort},

		{"scheme", "https://" + host + "/app", noHost},
		{"password in the URL", "user:secret@" + host + "/app", noHost},
		{"user in the URL", "user@" + host + "/app", noAccount("user@444455556666")},
		{"account as user", "444455556666@" + host + "/app", noAccount("444455556666@444455556666")},
		{"host behind an at sign", host + "@evil.example/app", world("eu-west-1", "aws")},
		{"percent in the host", "444455556666%2edkr.ecr.eu-west-1.amazonaws.com/app", noHost},
		{"percent in the region", "444455556666.dkr.ecr.eu-west-1%00.amazonaws.com/app", noRegion("eu-west-1%00")},
		{"percent in the path", host + "/app%2f..%2fother", noPath},
		{"query", host + "/app?x=y", noPath},
		{"fragment", host + "/app#x", noPath},
		{"backslash", host + `\@evil.example/app`, world("eu-west-1", "aws")},

		{"upper-case host", "444455556666.DKR.ECR.eu-west-1.amazonaws.com/app", noHost},
		{"upper-case region", "444455556666.dkr.ecr.EU-WEST-1.amazonaws.com/app", noRegion("EU-WEST-1")},
		{"upper-case suffix", "444455556666.dkr.ecr.eu-west-1.amazonaws.COM/app", world("eu-west-1", "aws")},
		{"upper-case repository", host + "/App", noPath},

		{"11 digits", "44445555666.dkr.ecr.eu-west-1.amazonaws.com/app", noAccount("44445555666")},
		{"13 digits", "4444555566667.dkr.ecr.eu-west-1.amazonaws.com/app", noAccount("4444555566667")},
		{"no account", ".dkr.ecr.eu-west-1.amazonaws.com/app", noAccount("")},
		{"alias for account", "my-company.dkr.ecr.eu-west-1.amazonaws.com/app", noAccount("my-company")},
		{"full-width digits", "４４４４５５５５６６６６.dkr.ecr.eu-west-1.amazonaws.com/app", noAccount("４４４４５５５５６６６６")},
		{"label before the account", "x.444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", noHost},
		{"no region", "444455556666.dkr.ecr.amazonaws.com/app", noRegion("amazonaws")},
		{"empty region", "444455556666.dkr.ecr..amazonaws.com/app", noRegion("")},
		{"region without its form", "444455556666.dkr.ecr.evil.amazonaws.com/app", noRegion("evil")},
		{"region glob", "444455556666.dkr.ecr.eu-west-*.amazonaws.com/app", noRegion("eu-west-*")},
		{"no suffix", "444455556666.dkr.ecr.eu-west-1/app", world("eu-west-1", "aws")},
		{"longer suffix", host + ".evil.example/app", world("eu-west-1", "aws")},
		{"trailing dot", host + "./app", world("eu-west-1", "aws")},
		{"China's region under aws", "444455556666.dkr.ecr.cn-north-1.amazonaws.com/app", world("cn-north-1", "aws-cn")},
		{"FIPS in China", "444455556666.dkr.ecr-fips.cn-north-1.amazonaws.com.cn/app", world("cn-north-1", "aws-cn")},
		{"FIPS dual-stack in China", "444455556666.dkr-ecr-fips.cn-north-1.on.amazonwebservices.com.cn/app", world("cn-north-1", "aws-cn")},
		{"API host", "api.ecr.eu-west-1.amazonaws.com/app", noHost},
		{"no dkr", "444455556666.ecr.eu-west-1.amazonaws.com/app", noHost},
		{"public under another name", "x.public.ecr.aws/app", noHost},
		{"public with a dot", "public.ecr.aws./app", noHost},

		{"IPv4", "127.0.0.1/app", noHost},
		{"IPv6", "[::1]/app", noHost},
		{"IPv6 with port 443", "[fd00:ec2::254]:443/app", noHost},
		{"IMDS with port", "169.254.169.254:80/latest", noHost},

		{"newline before", "\n" + host + "/app", noAccount(`\n444455556666`)},
		{"newline in the host", "444455556666.dkr.ecr.eu-west-1.amazonaws.com\n/app", world("eu-west-1", "aws")},
		{"newline after", host + "/app\n", noPath},
		{"newline in the tag", host + "/app:v1\nX: y", noTag},
		{"NUL in the host", "444455556666\x00.dkr.ecr.eu-west-1.amazonaws.com/app", noAccount(`444455556666\x00`)},
		{"NUL in the path", host + "/app\x00", noPath},
		{"space", " " + host + "/app", noAccount(" 444455556666")},
		{"not UTF-8", host + "/\xff\xfe", noPath},

		{"host in the path", "evil.example/" + host + "/app", noHost},
		{"host in the tag", "evil.example/app:" + host, noHost},
		{"dot dot", host + "/../app", noPath},
		{"dot dot inside", host + "/team-a/../team-b/app", noPath},
		{"two dots in a name", host + "/a..b", noPath},
		{"three underscores", host + "/a___b", noPath},
		{"mixed separators", host + "/a.-b", noPath},
		{"dot", host + "/./app", noPath},
		{"double slash", host + "//app", noPath},
		{"slash at the end", host + "/app/", noPath},
		{"dash first", host + "/-app", noPath},
		{"dash last", host + "/app-", noPath},
		{"hidden", host + "/.app", noPath},
		{"repository too long", host + "/" + strings.Repeat("a", 257), noPath},

		{"empty tag", host + "/app:", noTag},
		{"tag with a dash first", host + "/app:-v1", noTag},
		{"tag with a dot first", host + "/app:.v1", noTag},
		{"tag too long", host + "/app:" + strings.Repeat("t", 129), noTag},
		{"tag with a slash", host + "/app:v1/x", noTag},
		{"two tags", host + "/app:v1:v2", noTag},
		{"empty digest", host + "/app@", noDigest},
		{"short digest", host + "/app@sha256:0123", noDigest},
		{"no algorithm", host + "/app@:" + strings.Repeat("0", 64), noDigest},
		{"no colon in the digest", host + "/app@" + strings.Repeat("0", 64), noDigest},
		{"digest of other letters", host + "/app@sha256:" + strings.Repeat("g", 64), noDigest},
		{"space in the algorithm", host + "/app@sha 256:" + strings.Repeat("0", 64), noDigest},
		{"two digests", host + "/app" + digest + digest, noDigest},
		{"tag after the digest", host + "/app" + digest + ":v1", noDigest},

		{"endless path", host + "/" + strings.Repeat("a/", 1<<20), tooLong},
		{"endless host", strings.Repeat("4", 1<<20) + "/app", tooLong},
		{"endless digest", host + "/app@sha256:" + strings.Repeat("0", 1<<20), tooLong},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := registry.WhyNotECR(test.image)
			if err == nil {
				t.Fatal("WhyNotECR returns nil, want an error")
			}
			if err.Error() != test.want {
				t.Errorf("WhyNotECR: got %s\nwant %s", err, test.want)
			}
			if image, ok := registry.Parse(test.image); ok || image != (registry.Image{}) {
				t.Errorf("Parse returns %+v, %t, want the zero value and false", image, ok)
			}
		})
	}
}

func TestParseLongestImage(t *testing.T) {
	t.Parallel()
	image := host + ":443/" + strings.Repeat("a", 256) + ":" + strings.Repeat("t", 128) + "@sha512:"
	image += strings.Repeat("0", 1024-len(image))
	if _, ok := registry.Parse(image); !ok {
		t.Errorf("%d characters: got %v, want no error", len(image), registry.WhyNotECR(image))
	}
	if _, ok := registry.Parse(image + "0"); ok {
		t.Errorf("Parse accepts %d characters, want at most %d", len(image)+1, len(image))
	}
}
