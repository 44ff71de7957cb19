package config

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

const width = 78

// print writes the manual page of the program.
func (p Program) print(w io.Writer, fs *pflag.FlagSet) error {
	var b strings.Builder
	usage := p.Usage
	if usage == "" {
		usage = "[flags]"
	}
	fmt.Fprintf(&b, "NAME\n  %s\n\nSYNOPSIS\n  %s %s\n\nDESCRIPTION\n%s\n\nFLAGS\n", p.Name, p.Name, usage, wrap(p.Purpose, "  "))
	fs.VisitAll(func(f *pflag.Flag) {
		head := "  --" + f.Name
		if f.Shorthand != "" {
			head = "  -" + f.Shorthand + ", --" + f.Name
		}
		if t := f.Value.Type(); t != "bool" {
			head += " " + t
		}
		if f.DefValue != "" && f.DefValue != "false" {
			head += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(&b, "%s\n%s\n", head, wrap(f.Usage, "      "))
	})
	section(&b, "FILES", p.Files)
	section(&b, "EXIT STATUS", append([][2]string{
		{"0", "all went well"}, {"1", "the program failed; its last log line says why"}, {"2", "the configuration is wrong"},
	}, p.Exits...))
	_, err := io.WriteString(w, b.String())
	return err
}

func section(b *strings.Builder, title string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, r := range rows {
		fmt.Fprintf(b, "  %s\n%s\n", r[0], wrap(r[1], "      "))
	}
}

func wrap(text, indent string) string {
	var lines []string
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width && line != indent {
			lines, line = append(lines, line), indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
