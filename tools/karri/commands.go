package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"karri/shared/action"
)

// addActions gives root a command for each action of the cloud. Help and
// completion work without a cloud as far as they can.
func addActions(ctx context.Context, root *cobra.Command, set *settings, args []string) error {
	early := pflag.NewFlagSet("karri", pflag.ContinueOnError)
	early.ParseErrorsWhitelist.UnknownFlags = true
	early.SetOutput(discard{})
	early.StringVar(&set.profile, "profile", set.profile, "")
	early.StringVar(&set.endpoint, "endpoint", set.endpoint, "")
	early.BoolP("help", "h", false, "")
	_ = early.Parse(args) // what is wrong with args is said when they are parsed in earnest
	c, err := set.connect()
	if err == nil {
		var services []action.Manual
		if services, err = loadManual(ctx, c); err == nil {
			newBuilder(root, set, c).add(services)
			return nil
		}
	}
	if len(args) == 0 || slices.ContainsFunc(args, func(a string) bool {
		return a == "--help" || a == "-h" || a == "help" || a == "completion" || strings.HasPrefix(a, "__complete")
	}) {
		root.Long += "\n\nThe commands of the cloud are not shown: " + err.Error()
		return nil
	}
	return err
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// A builder makes the commands of a catalog.
type builder struct {
	root  *cobra.Command
	set   *settings
	c     *client
	nouns map[string]*cobra.Command
}

func newBuilder(root *cobra.Command, set *settings, c *client) *builder {
	return &builder{root: root, set: set, c: c, nouns: map[string]*cobra.Command{}}
}

func (b *builder) add(services []action.Manual) {
	for _, s := range services {
		for _, page := range s.Actions {
			if !page.Absent && page.Name != "Explain" && page.Name != "ExplainDenied" { // explain has commands of its own
				b.addAction(s.Service, page)
			}
		}
	}
	if n := b.nouns["event"]; n != nil {
		n.AddCommand(watchEvents(b.set))
	}
	if n := b.nouns["trail"]; n != nil {
		n.AddCommand(verifyTrail(b.set))
	}
	for noun, w := range waits {
		if n := b.nouns[noun]; n != nil {
			n.AddCommand(b.waitCommand(noun, w))
		}
	}
}

func (b *builder) noun(name string) *cobra.Command {
	n := b.nouns[name]
	if n == nil {
		parent, word := b.root, name
		if i := strings.LastIndexByte(name, ' '); i >= 0 { // a noun within another: account policy
			parent, word = b.noun(name[:i]), name[i+1:]
		}
		n = &cobra.Command{Use: word, Short: "Actions on " + plural(name)}
		b.nouns[name] = n
		parent.AddCommand(n)
	}
	return n
}

func plural(noun string) string {
	switch {
	case strings.HasSuffix(noun, "s"):
		return noun + "es"
	case strings.HasSuffix(noun, "y") && !strings.HasSuffix(noun, "ey") && !strings.HasSuffix(noun, "ay"):
		return strings.TrimSuffix(noun, "y") + "ies"
	}
	return noun + "s"
}

func (b *builder) addAction(service string, page action.ManualPage) {
	noun, verb := command(page.Name)
	cmd := &cobra.Command{Use: verb, Short: page.Doc, Long: page.Doc + "\n\nAction " + page.Name + " of service " + service + "."}
	pos := positional(noun, page)
	if pos != nil {
		cmd.Use += " [" + strings.ToUpper(kebab(strings.TrimSuffix(pos.Name, "s"))) + "]..."
	} else {
		cmd.Args = cobra.NoArgs
	}
	if len(page.Example) > 0 {
		cmd.Long += "\n\nAn example, as JSON:\n" + string(page.Example)
	}
	addFlags(cmd.Flags(), page)
	shorten(cmd.Flags(), page, noun)
	target, waits := afterwards(noun, verb)
	wait, timeout := new(bool), new(time.Duration)
	if waits {
		cmd.Flags().BoolVar(wait, "wait", false, "wait until it is "+target)
		cmd.Flags().DurationVar(timeout, "timeout", 5*time.Minute, "how long to wait")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in, err := params(cmd.Flags(), page, noun)
		if err == nil {
			err = position(in, pos, args)
		}
		if err == nil {
			err = complete(in, page)
		}
		if err != nil {
			return usageError{err}
		}
		out, err := b.all(cmd.Context(), service, page, in)
		if err != nil {
			return err
		}
		if *wait {
			ids := idsOf(noun, in, out)
			if err := b.await(cmd.Context(), noun, target, ids, *timeout); err != nil || target == "deleted" {
				return err
			}
			if page, out, err = b.settled(cmd.Context(), noun, ids); err != nil {
				return err
			}
		}
		return b.set.print(os.Stdout, noun, page, out)
	}
	b.noun(noun).AddCommand(cmd)
}

// positional is the parameter that words behind the verb stand for: what the
// first column of the noun's table shows, else the ids, the id or the name of
// what is acted on. What makes something new acts on nothing by ids.
func positional(noun string, page action.ManualPage) *action.Param {
	find := func(ok func(p action.Param) bool) *action.Param {
		if i := slices.IndexFunc(page.Params, ok); i >= 0 {
			return &page.Params[i]
		}
		return nil
	}
	for _, name := range whatActsOn[noun] {
		if p := find(func(p action.Param) bool { return p.Name == name }); p != nil {
			return p
		}
	}
	if c := columns[noun]; c != nil {
		if p := find(func(p action.Param) bool { return p.Name == c[0] || p.Name == c[0]+"s" }); p != nil {
			return p
		}
	}
	makes := slices.Contains([]string{"Run", "Create", "Register", "Import", "Allocate"}, firstWord(page.Name))
	for _, suffix := range []string{"Ids", "Id", "Names", "Name"} {
		if p := find(func(p action.Param) bool {
			return strings.HasSuffix(p.Name, suffix) && (p.Element == "string" && !makes || p.Type == "string" && p.Required)
		}); p != nil {
			return p
		}
	}
	return nil
}

func position(in map[string]any, p *action.Param, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if p.Type != "list" {
		if len(args) > 1 {
			return fmt.Errorf("only one %s is wanted", p.Name)
		}
		in[p.Name] = args[0]
		return nil
	}
	list, _ := in[p.Name].([]any)
	for _, a := range args {
		list = append(list, a)
	}
	in[p.Name] = list
	return nil
}

// complete refuses a request that lacks what is required; a count of instances
// that is not given is one.
func complete(in map[string]any, page action.ManualPage) error {
	var missing []string
	for _, p := range page.Params {
		if _, ok := in[p.Name]; ok || !p.Required {
			continue
		}
		if page.Name == "RunInstances" && (p.Name == "MinCount" || p.Name == "MaxCount") {
			in[p.Name] = 1
			continue
		}
		missing = append(missing, "--"+kebab(p.Name))
	}
	if len(missing) > 0 {
		return errors.New(strings.Join(missing, ", ") + " missing")
	}
	return nil
}

// all calls the action and, when it answers in pages, reads them all into one answer.
func (b *builder) all(ctx context.Context, service string, page action.ManualPage, in map[string]any) (map[string]any, error) {
	out, err := b.c.call(ctx, service, page.Name, in)
	if err != nil || !page.Paged {
		return out, err
	}
	token := "NextToken"
	if slices.ContainsFunc(page.Params, func(p action.Param) bool { return p.Name == "Marker" }) {
		token = "Marker"
	}
	for next, _ := out[token].(string); next != ""; {
		in[token] = next
		more, err := b.c.call(ctx, service, page.Name, in)
		if err != nil {
			return nil, err
		}
		for _, list := range page.Lists {
			had, _ := out[list].([]any)
			add, _ := more[list].([]any)
			out[list] = append(had, add...)
		}
		next, _ = more[token].(string)
	}
	delete(out, token)
	delete(out, "IsTruncated")
	return out, nil
}
