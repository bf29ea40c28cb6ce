//go:build linux

package attacks_test

import (
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestImageNames: a name that is not a valid name of an ECR image gets an empty
// response, without any call.
func TestImageNames(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	digest := "@sha256:" + strings.Repeat("a", 64)
	for name, image := range map[string]string{
		"suffix of another domain":   registryHost + ".evil.example/app",
		"prefix of another domain":   "evil-" + registryHost + "/app",
		"subdomain":                  "evil." + registryHost + "/app",
		"in the path":                "evil.example/" + registryHost + "/app",
		"in a query":                 "evil.example?x=" + image,
		"in a fragment":              "evil.example#" + image,
		"user":                       "user@" + image,
		"user and password":          "user:password@" + image,
		"host as a user":             registryHost + "@evil.example/app",
		"host as user and password":  registryHost + ":443@evil.example/app",
		"backslash":                  registryHost + `\@evil.example/app`,
		"https":                      "https://" + image,
		"http":                       "http://" + image,
		"file":                       "file:///etc/passwd",
		"two slashes first":          "//" + image,
		"dot at the end":             registryHost + "./app",
		"two dots":                   strings.Replace(image, ".ecr.", "..ecr.", 1),
		"upper case":                 strings.ToUpper(registryHost) + "/app",
		"upper case in the region":   strings.Replace(image, "eu-west-1", "EU-West-1", 1),
		"upper case in the path":     registryHost + "/App",
		"port 80":                    registryHost + ":80/app",
		"port 0443":                  registryHost + ":0443/app",
		"repeated port 443":          registryHost + ":443:443/app",
		"port +443":                  registryHost + ":+443/app",
		"no port":                    registryHost + ":/app",
		"port 65979":                 registryHost + ":65979/app", // 443 in 16 bits
		"Cyrillic a":                 strings.Replace(image, "amazonaws", "аmazonaws", 1),
		"full-width digits":          "４４４４５５５５６６６６" + image[12:],
		"Arabic digits":              "٤٤٤٤٥٥٥٥٦٦٦٦" + image[12:],
		"ideographic full stop":      strings.Replace(image, ".com", "。com", 1),
		"soft hyphen":                strings.Replace(image, "amazonaws", "amazon\u00adaws", 1),
		"zero-width space":           strings.Replace(image, "amazonaws", "amazon\u200baws", 1),
		"right to left":              "\u202e" + image,
		"byte order mark":            "\ufeff" + image,
		"Kelvin sign":                strings.Replace(image, "dkr", "d\u212ar", 1),
		"punycode":                   strings.Replace(image, "amazonaws", "xn--mazonaws-4fg", 1),
		"not UTF-8":                  strings.Replace(image, "team-a", "team-\xff", 1),
		"space first":                " " + image,
		"space last":                 image + " ",
		"newline":                    image + "\n",
		"NUL":                        image + "\x00",
		"NUL in the host":            registryHost + "\x00.evil.example/app",
		"tab":                        registryHost + "\t/app",
		"escaped slash":              registryHost + "%2fapp",
		"dot dot":                    registryHost + "/../app",
		"dot dot later":              registryHost + "/app/../../etc",
		"two slashes":                registryHost + "//app",
		"slash last":                 registryHost + "/app/",
		"no path":                    registryHost,
		"only a slash":               registryHost + "/",
		"only a tag":                 registryHost + ":v1",
		"11 digits":                  image[1:],
		"13 digits":                  "1" + image,
		"letters for an account":     "44445555666a" + image[12:],
		"sign":                       "+44455556666" + image[12:],
		"no region":                  fakeaws.FirstAccount + ".dkr.ecr..amazonaws.com/app",
		"unknown region":             fakeaws.FirstAccount + ".dkr.ecr.evil.amazonaws.com/app",
		"region with a dot":          fakeaws.FirstAccount + ".dkr.ecr.eu-west-1.evil.amazonaws.com/app",
		"region and port":            fakeaws.FirstAccount + ".dkr.ecr.eu-west-1:443.amazonaws.com/app",
		"China without .cn":          fakeaws.FirstAccount + ".dkr.ecr.cn-north-1.amazonaws.com/app",
		".cn outside China":          fakeaws.FirstAccount + ".dkr.ecr.eu-west-1.amazonaws.com.cn/app",
		"isolated domain":            fakeaws.FirstAccount + ".dkr.ecr.eu-west-1.c2s.ic.gov/app",
		"European domain":            fakeaws.FirstAccount + ".dkr.ecr.eu-west-1.amazonaws.eu/app",
		"dual-stack form, old host":  fakeaws.FirstAccount + ".dkr-ecr.eu-west-1.amazonaws.com/app",
		"API's host":                 "api.ecr.eu-west-1.amazonaws.com/app",
		"STS":                        "sts.eu-west-1.amazonaws.com/app",
		"S3":                         "s3.eu-west-1.amazonaws.com/app",
		"metadata service":           "169.254.169.254/latest/meta-data",
		"ECR Public, other domain":   "public.ecr.aws.evil.example/a/b",
		"ECR Public, prefix":         "xpublic.ecr.aws/a/b",
		"tag and slash":              image + ":v1/x",
		"empty digest":               image + "@sha256:",
		"digest, then path":          image + digest + "/x",
		"two digests":                image + digest + digest,
		"tag of 129":                 image + ":" + strings.Repeat("a", 129),
		"path of 257":                registryHost + "/" + strings.Repeat("a", 257),
		"100 KB of path":             registryHost + "/" + strings.Repeat("a", 100<<10),
		"100 KB of slashes":          registryHost + strings.Repeat("/", 100<<10),
		"100 KB of dots":             registryHost + "/a" + strings.Repeat(".", 100<<10) + "a",
		"100 KB of labels":           strings.Repeat("a.", 50<<10) + image,
		"100 KB of digits":           strings.Repeat("4", 100<<10) + image[12:],
		"braces":                     "{account}" + image[12:],
		"star":                       "*" + image[12:],
		"command":                    "$(id)/" + image,
		"printf":                     "%s%n%x/" + image,
		"terminal's escape sequence": "\x1b[31m" + image,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := *n
			m.t = t
			m.want(m.pull(image), outcome{class: empty, keep: time.Hour})
		})
	}
	t.Cleanup(func() { n.wantCalls(0) })
}

// TestImagesOfTheRegistry: the text after a registry's host changes neither the
// role nor the registry.
func TestImagesOfTheRegistry(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	for name, image := range map[string]string{
		"tag and digest":          image + ":v1@sha256:" + strings.Repeat("a", 64),
		"port 443":                registryHost + ":443/app",
		"other registry in path":  registryHost + "/777788889999.dkr.ecr.eu-west-1.amazonaws.com/app",
		"ECR Public in the path":  registryHost + "/public.ecr.aws/app",
		"other registry in tag":   image + ":777788889999.dkr.ecr.eu-west-1.amazonaws.com",
		"path of 256":             registryHost + "/" + strings.Repeat("a", 256),
		"many parts":              registryHost + strings.Repeat("/a", 128),
		"separators":              registryHost + "/a--b/c__d/e.f",
		"account as a repository": registryHost + "/" + fakeaws.SecondAccount,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := *n
			m.t = t
			m.want(m.pull(image), outcome{class: granted, keep: time.Hour})
		})
	}
	t.Cleanup(func() { n.wantCalls(1, fakeaws.STS) })
}

// TestImagesOfOthers: an image that no entry matches gets the node's own token, or none
// with "unmatched: None".
func TestImagesOfOthers(t *testing.T) {
	t.Parallel()
	const other = "999999999999.dkr.ecr.eu-west-1.amazonaws.com/app"
	for name, test := range map[string]struct {
		entries, image string
		want           outcome
	}{
		"own account":          {assume, ownImage, outcome{role: nodeRole, keep: 6 * time.Hour}},
		"another account":      {assume, other, outcome{role: nodeRole, keep: 6 * time.Hour}},
		"left to others":       {assume + "unmatched: None\n", other, outcome{class: empty}},
		"another region":       {strings.Replace(assume, "  assume", "  regions: [us-*]\n  assume", 1) + "unmatched: None\n", image, outcome{class: empty}},
		"another repository":   {strings.Replace(assume, "  assume", "  repositories: [team-b/]\n  assume", 1) + "unmatched: None\n", image, outcome{class: empty}},
		"start of a prefix":    {strings.Replace(assume, "  assume", "  repositories: [team-a/apple]\n  assume", 1) + "unmatched: None\n", image, outcome{class: empty}},
		"role that is refused": {strings.Replace(assume, "ecr-pull", "absent", 1), image, outcome{class: failed, says: "AccessDenied"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, test.entries)
			n.want(n.pull(test.image), test.want)
		})
	}
}
