package manual

import (
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/pkg/command"
)

// Shells are the shells that Completion supports.
var Shells = []string{"bash", "zsh"}

// Completion returns a script for a shell. It completes the commands, the flags, and
// the fixed values of arguments and flags. Everywhere else, the shell completes file
// names.
func Completion(shell string, programs ...command.Program) string {
	write := bash
	var s strings.Builder
	if shell == "zsh" {
		write = zsh
		names := make([]string, len(programs))
		for i, p := range programs {
			names[i] = p.Name
		}
		fmt.Fprintf(&s, "#compdef %s\n", strings.Join(names, " "))
	}
	for _, p := range programs {
		write(&s, p)
	}
	if shell == "zsh" {
		// zsh loads a file of fpath as a function. The file itself must call the
		// function the first time.
		fmt.Fprintf(&s, "if [[ ${funcstack[1]-} == _%s ]]; then _${service//-/_}; fi\n", programs[0].Name)
	}
	return s.String()
}

// word is a possible next word of a command line.
type word struct{ text, summary string }

// first returns the words after the program's name.
func first(p command.Program) []word {
	all := []word{{"--help", "print this help"}, {"--version", "print the version"}}
	for _, c := range p.AllCommands() {
		all = append(all, word{c.Name, c.Summary})
	}
	return all
}

// after returns the words after a command: its flags, and its arguments if they are
// alternatives such as list|clear.
func after(p command.Program, c command.Command) []word {
	var all []word
	for _, f := range c.AllFlags() {
		all = append(all, word{"--" + f.Name, f.Usage})
	}
	if c.Args == "[COMMAND]" {
		return append(all, first(p)[2:]...)
	}
	if alternative := strings.Split(c.Args, "|"); len(alternative) > 1 && strings.ToLower(c.Args) == c.Args && !strings.ContainsAny(c.Args, "[. ") {
		for _, text := range alternative {
			all = append(all, word{text, c.Summary})
		}
	}
	return all
}

// value is a place where a flag's value stands. pattern is for the shell's case
// statement: COMMAND:FLAG, or :FLAG before a command. words are the fixed values.
// Without them the shell completes a file name.
type value struct {
	pattern string
	words   []string
}

// values returns the places of all flags that take a value.
func values(p command.Program) (all []value) {
	add := func(name string, flags []command.Flag) {
		for _, f := range flags {
			if f.Value != "" {
				all = append(all, value{name + ":--" + f.Name, f.Choices})
			}
		}
	}
	add("", p.LeadingFlags())
	for _, c := range p.AllCommands() {
		add(c.Name, c.AllFlags())
	}
	return all
}

// function is the name of a program's function in a script.
func function(p command.Program) string { return "_" + strings.ReplaceAll(p.Name, "-", "_") }

// names returns the names of all commands as a pattern for the shell's case
// statement.
func names(p command.Program) string {
	var all []string
	for _, c := range p.AllCommands() {
		all = append(all, c.Name)
	}
	return strings.Join(all, "|")
}

func bash(s *strings.Builder, p command.Program) {
	fmt.Fprintf(s, `%[1]s() {
  local command= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      %[2]s) command=${COMP_WORDS[i]}; break ;;
    esac
  done
  case $command in
`, function(p), names(p))
	texts := func(all []word) string {
		var s []string
		for _, w := range all {
			s = append(s, w.text)
		}
		return strings.Join(s, " ")
	}
	fmt.Fprintf(s, "    '') words='%s' ;;\n", texts(first(p)))
	for _, c := range p.AllCommands() {
		fmt.Fprintf(s, "    %s) words='%s' ;;\n", c.Name, texts(after(p, c)))
	}
	s.WriteString("  esac\n  case $command:${COMP_WORDS[COMP_CWORD-1]} in\n")
	for _, v := range values(p) {
		fmt.Fprintf(s, "    %s) words='%s' ;;\n", v.pattern, strings.Join(v.words, " "))
	}
	fmt.Fprintf(s, `  esac
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F %s %s
`, function(p), p.Name)
}

func zsh(s *strings.Builder, p command.Program) {
	fmt.Fprintf(s, `%[1]s() {
  local command= i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      %[2]s) command=$words[i]; break ;;
    esac
  done
  case $command in
`, function(p), names(p))
	list := func(pattern string, all []word) {
		fmt.Fprintf(s, "    %s) found=(\n", pattern)
		for _, w := range all {
			text := strings.NewReplacer(":", `\:`, "'", `'\''`).Replace(w.summary)
			fmt.Fprintf(s, "      '%s:%s'\n", w.text, text)
		}
		s.WriteString("    ) ;;\n")
	}
	list("''", first(p))
	for _, c := range p.AllCommands() {
		list(c.Name, after(p, c))
	}
	s.WriteString("  esac\n  case $command:$words[CURRENT-1] in\n")
	for _, v := range values(p) {
		fmt.Fprintf(s, "    %s) found=(%s) ;;\n", v.pattern, strings.Join(v.words, " "))
	}
	fmt.Fprintf(s, `  esac
  _describe argument found || _files
}
compdef %s %s
`, function(p), p.Name)
}
