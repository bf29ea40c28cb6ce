package command

import (
	"encoding/json"
	"flag"
	"fmt"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// OutputFlag defines --output, which chooses between text and JSON.
func OutputFlag(flags *flag.FlagSet) (json *bool) {
	json = new(bool)
	Choice(flags, "output", "`FORMAT` of the output: text (the default) or json", []string{"text", "json"}, func(s string) error {
		if s != "text" && s != "json" {
			return fmt.Errorf("%q is not text or json", printable.Short(s))
		}
		*json = s == "json"
		return nil
	})
	return json
}

// WriteJSON writes a value to stdout.
func (p Process) WriteJSON(value any) error {
	encoder := json.NewEncoder(p.Stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
