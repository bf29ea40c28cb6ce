package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// table is a table of two columns. It consists of blocks with titles. The first
// block has no title.
type table struct{ blocks []block }

type block struct {
	title string
	rows  []row
}

// row is a label and its text. The label is empty in a row that continues the one
// above.
type row struct {
	label, text string
	bad         bool
}

func (t *table) title(format string, args ...any) {
	t.blocks = append(t.blocks, block{title: fmt.Sprintf(format, args...)})
}

func (t *table) add(label, format string, args ...any) {
	t.row(row{label: label, text: fmt.Sprintf(format, args...)})
}

// wrong adds a row that is red on a terminal.
func (t *table) wrong(label string, err error) { t.row(row{label, err.Error(), true}) }

func (t *table) row(r row) {
	if len(t.blocks) == 0 {
		t.blocks = []block{{}}
	}
	last := &t.blocks[len(t.blocks)-1]
	last.rows = append(last.rows, r)
}

// These are escape codes of terminals.
const bold, red, plain = "\x1b[1m", "\x1b[31m", "\x1b[0m"

// print writes the table, with bold labels and red problems if color is true.
func (t *table) print(w io.Writer, color bool) error {
	width := 0
	for _, b := range t.blocks {
		for _, r := range b.rows {
			width = max(width, utf8.RuneCountInString(r.label))
		}
	}
	paint := func(code, s string) string {
		if !color || s == "" {
			return s
		}
		return code + s + plain
	}
	var s strings.Builder
	for _, b := range t.blocks {
		if b.title != "" {
			fmt.Fprintf(&s, "\n%s\n", paint(bold, b.title))
		}
		for _, r := range b.rows {
			text := r.text
			if r.bad {
				text = paint(red, text)
			}
			gap := strings.Repeat(" ", width-utf8.RuneCountInString(r.label)+2)
			fmt.Fprintf(&s, "%s%s%s\n", paint(bold, r.label), gap, text)
		}
	}
	_, err := io.WriteString(w, s.String())
	return err
}
