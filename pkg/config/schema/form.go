package schema

// These are parts of the forms.
const (
	region      = `[a-z]+(-[a-z]+)+-[1-9][0-9]?`
	path        = `(/|[A-Za-z]:[/\\])[^\x00]*$`
	name        = `[a-zA-Z0-9_+=,.@-]`
	tag         = `\p{L}\p{N}\p{Z}_.:/=+@-`
	placeholder = `[{](account|region|partition)[}]`
	inSession   = `[{](node|account|region|namespace|serviceAccount)[}]`
	role        = `arn:([a-z-]+|[{]partition[}]):iam::([0-9]{12}|[{]account[}]):role`
)

// forms holds a regular expression for each form. The tags of config.Document name
// the forms. Except for rare URLs and Windows paths, the expressions accept everything
// that config.Load accepts. They reject most other texts. They use only syntax that
// JSON schemas and Go share.
var forms = map[string]string{
	"accounts":       `^([0-9]{12}|own|[*])$`,
	"annotation":     `^([a-zA-Z0-9._-]{1,253}/)?[a-zA-Z0-9._-]{1,63}$`,
	"duration":       `^[+]?(([0-9]+([.][0-9]*)?|[.][0-9]+)(h|m|s|ms|us|µs|μs|ns))+$`,
	"exceptAccounts": `^([0-9]{12}|own)$`,
	"externalID":     `^[a-zA-Z0-9_+=,.@:/-]{2,}$`,
	"log":            `^((Journal|Stderr|None)$|` + path + `)`,
	"mirrorHost":     `^[a-z0-9.-]+(:[0-9]{1,5})?$`,
	"mirrorRegistry": `^[0-9]{12}[.]dkr[.-]ecr[a-z0-9.-]*(/[a-z0-9._-]+)*$`,
	"optionalRole":   `^$|^` + role + `(/(` + name + `|` + placeholder + `)+)+$`,
	"path":           `^($|` + path + `)`,
	"region":         `^` + region + `$`,
	"regions":        `^(` + region + `|[a-z0-9*-]*[*][a-z0-9*-]*)$`,
	"repositories":   `^[a-z0-9._-][a-z0-9._/-]{0,255}$`,
	"role":           `^` + role + `(/(` + name + `|` + placeholder + `)+)+$`,
	"rolePattern":    `^` + role + `(/(` + name + `|[*]|` + placeholder + `)+)+$`,
	"sessionName":    `^(` + name + `{2,}|(` + name + `*` + inSession + `)+` + name + `*)$`,
	"stsRegion":      `^(Node|Registry|` + region + `)$`,
	"tagKey":         `^[` + tag + `]{1,128}$`,
	"tagValue":       `^([` + tag + `]|` + inSession + `)*$`,
	"url":            `^([Hh][Tt][Tt][Pp][Ss]://[^ ?#@]+|[Hh][Tt][Tt][Pp]://(localhost|127[.][0-9.]+|[[][0-9a-f:.]+[]])(:[0-9]+)?(/[^ ?#@]*)?)$`,
}
