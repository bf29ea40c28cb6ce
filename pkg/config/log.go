package config

import (
	"path/filepath"
	"slices"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Log is where a record of each request goes: by default to the journal, where
// there is one.
type Log struct {
	Destination Destination
	// File is the path of ToFile.
	File string
}

// Destination is a kind of place for records.
type Destination int

// The destinations.
const (
	ToJournal Destination = iota
	ToStderr
	ToNone
	ToFile
)

func (d *decoder) readLog(v value) {
	v.fields(field{"destination", func(v value) {
		text, ok := v.text()
		if !ok {
			return
		}
		words := []string{"Journal", "Stderr", "None"}
		switch i := slices.Index(words, text); {
		case i >= 0:
			d.config.Log.Destination = Destination(i)
		case filepath.IsAbs(text):
			d.config.Log = Log{Destination: ToFile, File: text}
		default:
			hint := ""
			if s, ok := suggest(text, words); ok {
				hint = "; did you mean " + s + "?"
			}
			v.problem("%q is not Journal, Stderr, None or the absolute path of a file%s", printable.Short(text), hint)
		}
	}})
}
