package house

import (
	"go/ast"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A definition is an action.Def as the source says it.
type definition struct {
	source
	lit    *ast.CompositeLit
	name   string
	fields map[string]ast.Expr
}

// definitions returns every action.Def written outside of tests.
func definitions(t *testing.T) []definition {
	t.Helper()
	var all []definition
	for _, s := range sources(t) {
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
			all = append(all, d)
			return true
		})
	}
	return all
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

func TestActionsAreWholeAndInFilesOfTheirOwn(t *testing.T) {
	files := map[string]string{}
	for _, d := range definitions(t) {
		where := d.at(d.lit)
		if d.name == "" {
			t.Errorf("%s: the Name of an action is written out", where)
			continue
		}
		if got, want := path.Base(d.path), fileOf(d.name); got != want {
			t.Errorf("%s: %s belongs in %s", where, d.name, want)
		}
		if other := files[d.path]; other != "" {
			t.Errorf("%s: %s shares its file with %s", where, d.name, other)
		}
		files[d.path] = d.name
		for _, field := range []string{"Doc", "On", "Run"} {
			if d.fields[field] == nil {
				t.Errorf("%s: %s has no %s", where, d.name, field)
			}
		}
		if strings.HasPrefix(d.name, "Describe") && d.fields["List"] == nil {
			t.Errorf("%s: %s has no List: a Describe names its filters and page bound", where, d.name)
		}
	}
}

var hump = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// fileOf returns the file of an action: run_instances.go for RunInstances.
func fileOf(action string) string {
	return strings.ToLower(hump.ReplaceAllString(action, "${1}_$2")) + ".go"
}

func TestFileOf(t *testing.T) {
	for action, want := range map[string]string{"RunInstances": "run_instances.go", "DescribeVpcs": "describe_vpcs.go", "GetCallerIdentity": "get_caller_identity.go"} {
		if got := fileOf(action); got != want {
			t.Errorf("%s: got %s", action, got)
		}
	}
}
