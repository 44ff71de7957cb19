package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

const (
	root   = "../.."
	module = "karri/"
)

// A source is one Go file of the repository.
type source struct {
	*ast.File
	path string // from the root, with slashes
	dir  string
	fset *token.FileSet
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// at says where n is.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// lines is the number of lines of n, without its last brace.
func (s source) lines(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line
}

// imports returns the paths that s imports.
func (s source) imports() []string {
	var all []string
	for _, spec := range s.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			all = append(all, p)
		}
	}
	return all
}

// isGenerated leaves out what tools write.
func (s source) isGenerated() bool { return ast.IsGenerated(s.File) }

var parseAll = sync.OnceValues(func() ([]source, error) {
	var all []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != root && strings.HasPrefix(d.Name(), ".") || d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(rel), fset: token.NewFileSet()}
		s.dir = path.Dir(s.path)
		if s.File, err = parser.ParseFile(s.fset, p, nil, parser.ParseComments); err == nil && !s.isGenerated() {
			all = append(all, s)
		}
		return err
	})
	return all, err
})

// parse makes a source of a text, as if it were in the file.
func parse(name, text string) (source, error) {
	s := source{path: name, dir: path.Dir(name), fset: token.NewFileSet()}
	var err error
	s.File, err = parser.ParseFile(s.fset, name, text, parser.ParseComments)
	return s, err
}
