package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"karri/shared/action"
)

// addFlags gives fs a flag for each parameter of an action. Lists take the flag
// several times; structures take JSON or name=value,name=value.
func addFlags(fs *pflag.FlagSet, page action.ManualPage) {
	for _, p := range page.Params {
		name, help := kebab(p.Name), describe(p)
		switch {
		case p.Name == "Filters":
			fs.StringArray("filter", nil, "NAME=VALUE,VALUE; names: "+strings.Join(page.Filters, ", "))
		case p.Name == "TagSpecifications":
			fs.StringArray("tag", nil, "KEY=VALUE for what is made")
		case slices.Contains([]string{"NextToken", "MaxResults", "Marker", "MaxItems"}, p.Name): // karri reads all pages
		case p.Type == "boolean":
			fs.Bool(name, false, help)
		case p.Type == "list":
			fs.StringArray(name, nil, help)
			if hasTags(p) {
				fs.StringArray("tag", nil, "KEY=VALUE, may be repeated")
			}
		default:
			fs.String(name, "", help)
		}
	}
	if page.DryRun {
		fs.Bool("dry-run", false, "only ask whether it would succeed")
	}
}

func describe(p action.Param) string {
	help := p.Type
	switch {
	case len(p.Enum) > 0 && len(p.Enum) <= 8:
		help = strings.Join(p.Enum, ", ")
	case len(p.Parts) > 0:
		var names []string
		for _, part := range p.Parts {
			names = append(names, part.Name)
		}
		help = "JSON or NAME=VALUE,...; names: " + strings.Join(names, ", ")
	case kind(p) == "blob" || slices.Contains(files, p.Name):
		help = "text, or @FILE"
	case p.Element != "":
		help = p.Element + ", may be repeated"
	}
	if p.Required {
		help += " (required)"
	}
	return help
}

// params returns what the flags that were given ask for.
func params(fs *pflag.FlagSet, page action.ManualPage, noun string) (map[string]any, error) {
	out := map[string]any{}
	for _, p := range page.Params {
		var err error
		name := kebab(p.Name)
		switch {
		case p.Name == "Filters" && fs.Changed("filter"):
			err = put(out, p.Name, fs, "filter", filter)
		case p.Name == "TagSpecifications" && fs.Changed("tag"):
			err = put(out, p.Name, fs, "tag", pair)
			if tags, ok := out[p.Name]; ok {
				out[p.Name] = []any{map[string]any{"ResourceType": tagType(noun), "Tags": tags}}
			}
		case hasTags(p) && fs.Changed("tag"):
			err = put(out, p.Name, fs, "tag", pair)
		case fs.Lookup(name) == nil || !fs.Changed(name):
		case p.Type == "boolean":
			out[p.Name], err = fs.GetBool(name)
		case p.Type == "list":
			err = put(out, p.Name, fs, name, func(s string) (any, error) { return value(p.Element, p.Parts, s) })
		default:
			out[p.Name], err = value(kind(p), p.Parts, fs.Lookup(name).Value.String())
		}
		if err != nil {
			return nil, fmt.Errorf("--%s: %w", name, err)
		}
	}
	if page.DryRun && fs.Changed("dry-run") {
		out["DryRun"] = true
	}
	return out, nil
}

func put(out map[string]any, name string, fs *pflag.FlagSet, flag string, read func(string) (any, error)) error {
	texts, err := fs.GetStringArray(flag)
	if err != nil {
		return err
	}
	var list []any
	for _, s := range texts {
		v, err := read(s)
		if err != nil {
			return err
		}
		list = append(list, v)
	}
	out[name] = list
	return nil
}

// kind is the type of a parameter; the model calls user data a string, though
// it must be in base64.
func kind(p action.Param) string {
	if p.Name == "UserData" {
		return "blob"
	}
	if slices.Contains(files, p.Name) && p.Type == "string" {
		return "file"
	}
	return p.Type
}

// value reads one value of a type.
func value(kind string, parts []action.Param, s string) (any, error) {
	switch kind {
	case "integer", "long", "float", "double":
		n := json.Number(s)
		if _, err := n.Float64(); err != nil {
			return nil, fmt.Errorf("%q is not a number", s)
		}
		return n, nil
	case "boolean":
		if s != "true" && s != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", s)
		}
		return s == "true", nil
	case "blob", "file":
		b := []byte(s)
		if file, ok := strings.CutPrefix(s, "@"); ok {
			var err error
			if b, err = os.ReadFile(file); err != nil {
				return nil, err
			}
		}
		if kind == "file" {
			return string(b), nil
		}
		return base64.StdEncoding.EncodeToString(b), nil
	case "structure":
		return structure(parts, s)
	}
	return s, nil
}

// structure reads JSON, or NAME=VALUE,NAME=VALUE.
func structure(parts []action.Param, s string) (any, error) {
	out := map[string]any{}
	if strings.HasPrefix(s, "{") {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		err := d.Decode(&out)
		return out, err
	}
	for kv := range strings.SplitSeq(s, ",") {
		name, text, ok := strings.Cut(kv, "=")
		i := slices.IndexFunc(parts, func(p action.Param) bool { return strings.EqualFold(p.Name, name) || kebab(p.Name) == name })
		if !ok || i < 0 {
			return nil, fmt.Errorf("%q is not NAME=VALUE with a known name", kv)
		}
		v, err := value(parts[i].Type, parts[i].Parts, text)
		if err != nil {
			return nil, err
		}
		out[parts[i].Name] = v
	}
	return out, nil
}

// filter reads NAME=VALUE,VALUE.
func filter(s string) (any, error) {
	name, values, ok := strings.Cut(s, "=")
	if !ok {
		return nil, fmt.Errorf("%q is not NAME=VALUE", s)
	}
	return map[string]any{"Name": name, "Values": strings.Split(values, ",")}, nil
}

// pair reads KEY=VALUE.
func pair(s string) (any, error) {
	key, v, _ := strings.Cut(s, "=")
	return map[string]any{"Key": key, "Value": v}, nil
}

// tagType is what a tag specification calls a noun.
func tagType(noun string) string {
	switch noun {
	case "key":
		return "key-pair"
	case "group":
		return "security-group"
	case "address":
		return "elastic-ip"
	}
	return noun
}
