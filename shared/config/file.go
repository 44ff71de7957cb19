package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/pflag"
)

// apply sets from the file every field whose flag was not given.
func apply(name string, b []byte, fs *pflag.FlagSet, known map[string]*field) error {
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(file.Docs) > 1 {
		return fmt.Errorf("%s: one document is allowed, there are %d", name, len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil
	}
	var pairs []*ast.MappingValueNode
	switch body := file.Docs[0].Body.(type) {
	case *ast.MappingNode:
		pairs = body.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{body}
	case *ast.NullNode, *ast.CommentGroupNode:
	default:
		return fmt.Errorf("%s: the file must be a list of key: value", name)
	}
	seen := map[string]bool{}
	for _, p := range pairs {
		key := p.Key.GetToken().Value
		at := fmt.Sprintf("%s:%d", name, p.Key.GetToken().Position.Line)
		f := known[key]
		switch {
		case f == nil:
			return fmt.Errorf("%s: unknown key %q%s", at, key, nearest(key, known))
		case seen[key]:
			return fmt.Errorf("%s: key %q is given twice", at, key)
		}
		seen[key] = true
		if fs.Changed(key) {
			continue
		}
		if err := setNode(f, p.Value); err != nil {
			return fmt.Errorf("%s: %s: %w", at, key, err)
		}
	}
	return nil
}

func setNode(f *field, n ast.Node) error {
	if seq, ok := n.(*ast.SequenceNode); ok {
		if f.v.Kind() != reflect.Slice {
			return fmt.Errorf("one value is wanted, not a list")
		}
		var l []string
		for _, v := range seq.Values {
			s, err := scalar(v)
			if err != nil {
				return err
			}
			l = append(l, s)
		}
		return f.setList(l)
	}
	s, err := scalar(n)
	if err != nil {
		return err
	}
	return f.Set(s)
}

// scalar returns the text of a plain value. What the value means is the
// field's business: 08 is a port and yes is a name where the field says so.
func scalar(n ast.Node) (string, error) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return v.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	}
	return "", fmt.Errorf("a plain value is wanted, not %s", n.Type())
}

// nearest suggests the known key that begins or ends like key.
func nearest(key string, known map[string]*field) string {
	best, most := "", max(2, len(key)/2)-1
	for _, k := range slices.Sorted(maps.Keys(known)) {
		n := 0
		for n < len(k) && n < len(key) && k[n] == key[n] {
			n++
		}
		for i := 0; i+n < len(k) && i+n < len(key) && k[len(k)-1-i] == key[len(key)-1-i]; i++ {
			n++
		}
		if n > most {
			best, most = k, n
		}
	}
	if best == "" {
		return fmt.Sprintf("; known are %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return fmt.Sprintf("; is %q meant?", best)
}
