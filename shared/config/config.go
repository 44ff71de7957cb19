// Package config gives a program one strict configuration, written once as a
// struct.
//
// Each field with a flag tag is a command line flag and, under the same name,
// a key of the one YAML file given by --config:
//
//	type Config struct {
//		State string        `flag:"state" default:"/var/lib/karri" help:"folder of all that is kept"`
//		Every time.Duration `flag:"every" default:"5s" help:"time between two full passes"`
//	}
//
// Embedded structs add their fields. A flag wins over the file, the file over
// the default. A key that no field has is refused by name and line, so that a
// misspelt setting is never silently without effect. Nothing is read from the
// environment, and nothing is kept here: Load fills the struct and is done.
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/spf13/pflag"
)

// Program is what --help says of a program besides its flags.
type Program struct {
	Name    string
	Purpose string      // one paragraph
	Usage   string      // what follows the name in the synopsis; "[flags]" when empty
	Files   [][2]string // path and what it holds
	Exits   [][2]string // exit codes besides 0, 1 and 2, and what they mean
	Out     io.Writer   // where --help goes; os.Stdout when nil
}

// ErrHelp is returned after --help was asked for and printed.
var ErrHelp = errors.New("help was asked for")

// Load fills cfg, a pointer to a struct, from its defaults, the file named by
// --config and args (without the program's name), and returns what is left of
// args behind the flags.
func Load(p Program, args []string, cfg any) ([]string, error) {
	fs := pflag.NewFlagSet(p.Name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	known, err := addFields(fs, reflect.ValueOf(cfg).Elem())
	if err != nil {
		return nil, err
	}
	file := fs.String("config", "", "YAML file whose keys are the names of these flags; a flag wins over it")
	help := fs.BoolP("help", "h", false, "print this and exit")
	if err := fs.Parse(args); err != nil {
		return nil, fmt.Errorf("%w (see %s --help)", err, p.Name)
	}
	if *help {
		out := p.Out
		if out == nil {
			out = os.Stdout
		}
		return nil, errors.Join(ErrHelp, p.print(out, fs))
	}
	if *file != "" {
		b, err := os.ReadFile(*file)
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		if err := apply(*file, b, fs, known); err != nil {
			return nil, err
		}
	}
	for _, f := range known {
		if f.required && f.zero() {
			return nil, fmt.Errorf("--%s is required: %s", f.name, f.help)
		}
	}
	return fs.Args(), nil
}
