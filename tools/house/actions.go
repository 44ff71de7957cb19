package house

import (
	"go/ast"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// A definition is an action.Def as the source says it.
type definition struct {
	source
	lit    *ast.CompositeLit
	name   string
	fields map[string]ast.Expr
}

// definitions returns every action.Def written outside of tests.
func definitions(all []source) []definition {
	var found []definition
	for _, s := range all {
		if s.isTest() {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || !isDef(lit.Type) {
				return true
			}
			d := definition{source: s, lit: lit, fields: map[string]ast.Expr{}}
			for _, e := range lit.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if key, ok := kv.Key.(*ast.Ident); ok {
						d.fields[key.Name] = kv.Value
					}
				}
			}
			if name, ok := d.fields["Name"].(*ast.BasicLit); ok {
				d.name, _ = strconv.Unquote(name.Value)
			}
			found = append(found, d)
			return true
		})
	}
	return found
}

// isDef reports whether t is action.Def[...].
func isDef(t ast.Expr) bool {
	if x, ok := t.(*ast.IndexListExpr); ok {
		t = x.X
	}
	sel, ok := t.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Def" {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "action"
}

func actionsAreWholeAndInFilesOfTheirOwn(all []source, report report) {
	files := map[string]string{}
	for _, d := range definitions(all) {
		where := d.at(d.lit)
		if d.name == "" {
			report("%s: the Name of an action is written out", where)
			continue
		}
		if got, want := path.Base(d.path), fileOf(d.name); got != want {
			report("%s: %s belongs in %s", where, d.name, want)
		}
		if other := files[d.path]; other != "" {
			report("%s: %s shares its file with %s", where, d.name, other)
		}
		files[d.path] = d.name
		for _, field := range []string{"Doc", "On", "Run"} {
			if d.fields[field] == nil {
				report("%s: %s has no %s", where, d.name, field)
			}
		}
		if strings.HasPrefix(d.name, "Describe") && d.fields["List"] == nil {
			report("%s: %s has no List: a Describe names its filters and page bound", where, d.name)
		}
	}
}

var hump = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// fileOf returns the file of an action: run_instances.go for RunInstances.
func fileOf(action string) string {
	return strings.ToLower(hump.ReplaceAllString(action, "${1}_$2")) + ".go"
}
