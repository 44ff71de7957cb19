package house

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	maxFileLines = 400
	maxFuncLines = 60
	maxMethods   = 9
)

func nothingIsTooLong(all []source, report report) {
	for _, s := range all {
		if n := s.fset.Position(s.FileEnd).Line - 1; n > maxFileLines {
			report("%s has %d lines, most is %d: split it by what it is about", s.path, n, maxFileLines)
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if l := s.lines(n); l > maxFuncLines {
					report("%s: %s has %d lines, most is %d: name its parts", s.at(n), n.Name.Name, l, maxFuncLines)
				}
			case *ast.InterfaceType:
				if l := n.Methods.NumFields(); l > maxMethods {
					report("%s: an interface has %d methods, most is %d: split it by who uses it", s.at(n), l, maxMethods)
				}
			}
			return true
		})
	}
}

func everyPackageSaysWhatItIs(all []source, report report) {
	said := map[string]bool{}
	for _, s := range all {
		if s.isTest() {
			continue
		}
		want := "Package " + s.Name.Name + " "
		if s.Name.Name == "main" {
			want = "Command " + path.Base(s.dir) + " "
		}
		said[s.dir] = said[s.dir] || strings.HasPrefix(s.Doc.Text(), want)
	}
	for dir, ok := range said {
		if !ok {
			report("%s: no comment that begins \"Package x ...\" (or \"Command x ...\") and is its design: purpose, invariant, what a crash does", dir)
		}
	}
}

var badNames = []string{"util", "utils", "common", "types", "models", "helpers", "helper", "manager", "misc", "base"}

func packagesHaveNamesOfTheirOwn(all []source, report report) {
	for _, s := range all {
		if slices.Contains(badNames, s.Name.Name) {
			report("%s: package %s says nothing; name it after what it holds", s.path, s.Name.Name)
		}
	}
}

func exportedNamesAreExplained(all []source, report report) {
	for _, s := range all {
		if s.isTest() || s.Name.Name == "main" {
			continue
		}
		for _, d := range s.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || receiverIsExported(d)) && !isPlumbing(d) {
					report("%s: %s is exported and has no comment; say what the signature cannot", s.at(d), d.Name.Name)
				}
			case *ast.GenDecl:
				unexplained(s, d, report)
			}
		}
	}
}

// plumbing methods are explained by the interface that everyone knows.
var plumbing = []string{"Error", "Unwrap", "String", "Read", "Write", "Close", "Len", "Less", "Swap", "ServeHTTP", "MarshalJSON",
	"UnmarshalJSON", "MarshalText", "UnmarshalText", "Scan", "Value", "TableName", "Is"}

func isPlumbing(d *ast.FuncDecl) bool {
	return d.Recv != nil && slices.Contains(plumbing, d.Name.Name)
}

func receiverIsExported(d *ast.FuncDecl) bool {
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// unexplained reports the exported names of d that have no comment of their own
// and are in no group that has one.
func unexplained(s source, d *ast.GenDecl, report report) {
	for _, spec := range d.Specs {
		var names []*ast.Ident
		var doc *ast.CommentGroup
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			names, doc = []*ast.Ident{spec.Name}, cmpDoc(spec.Doc, spec.Comment)
		case *ast.ValueSpec:
			names, doc = spec.Names, cmpDoc(spec.Doc, spec.Comment)
		}
		for _, name := range names {
			if name.IsExported() && doc == nil && d.Doc == nil && !isValueOfAType(d, spec) {
				report("%s: %s is exported and has no comment; say what the name cannot", s.at(spec), name.Name)
			}
		}
	}
}

// isValueOfAType reports whether spec is one of the listed values of a type,
// which says what they are.
func isValueOfAType(d *ast.GenDecl, spec ast.Spec) bool {
	v, ok := spec.(*ast.ValueSpec)
	first, has := d.Specs[0].(*ast.ValueSpec)
	return ok && has && d.Tok == token.CONST && len(d.Specs) > 1 && (v.Type != nil || first.Type != nil)
}

func cmpDoc(a, b *ast.CommentGroup) *ast.CommentGroup {
	if a != nil {
		return a
	}
	return b
}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b|(?i)\bfor now\b|\bnot (yet )?implemented yet\b`)

func nothingIsLeftForLater(all []source, report report) {
	for _, s := range all {
		if s.dir == "tools/house" {
			continue
		}
		for _, group := range s.Comments {
			if found := unfinished.FindString(group.Text()); found != "" {
				report("%s: a comment says %q: do it, or leave the feature out and refuse it by name", s.at(group), found)
			}
		}
	}
}

func testsDoNotSleep(all []source, report report) {
	for _, s := range all {
		if !s.isTest() || slices.Contains(s.imports(), "testing/synctest") || strings.HasSuffix(s.path, "_real_test.go") {
			continue
		}
		for _, d := range s.Decls {
			if sleepsOnce(d) {
				report("%s sleeps: use testing/synctest, or ask in a loop for what is to happen", s.at(d))
			}
		}
	}
}

// sleepsOnce reports whether n sleeps outside of a loop.
func sleepsOnce(n ast.Node) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return false
		case *ast.CallExpr:
			found = found || isCall(n, "time", "Sleep")
		}
		return true
	})
	return found
}

func realTestsAreBehindTheirTag(all []source, report report) {
	for _, s := range all {
		tagged := len(s.Comments) > 0 && strings.Contains(s.Comments[0].List[0].Text, "go:build real")
		if strings.HasSuffix(s.path, "_real_test.go") && !tagged {
			report("%s: its first line must be //go:build real", s.path)
		}
	}
}

func crashPointsHaveNamesOfTheirOwn(all []source, report report) {
	seen := map[string]string{}
	for _, s := range all {
		if s.dir == "shared/crash" {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !isCall(call, "crash", "Here") {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				report("%s: crash.Here takes a name written out, so that tests find it in the source", s.at(call))
				return true
			}
			name, err := strconv.Unquote(lit.Value)
			if err != nil || seen[name] != "" {
				report("%s: the crash point %s is also at %s", s.at(call), lit.Value, seen[name])
			}
			seen[name] = s.at(call)
			return true
		})
	}
}

// calls returns the names that s selects from a package.
func calls(s source, pkg string) []string {
	var all []string
	ast.Inspect(s.File, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == pkg && x.Obj == nil {
				all = append(all, sel.Sel.Name)
			}
		}
		return true
	})
	return all
}

func isCall(c *ast.CallExpr, pkg, name string) bool {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg
}
