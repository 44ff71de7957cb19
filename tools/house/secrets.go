package house

import (
	"go/ast"
	"go/token"
	"regexp"
)

var secret = regexp.MustCompile(`(?i)(signature|hmac|secret|password|secrets)$`)

// A signature compared byte by byte tells, by how long it takes, how much of a
// forgery was right; so does a secret. There is one way to compare them.
func signaturesAreComparedInConstantTime(all []source, report report) {
	for _, s := range all {
		if s.isTest() {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && (isSecret(n.X) && !isPlain(n.Y) || isSecret(n.Y) && !isPlain(n.X)) {
					report("%s: a signature or secret is compared by %s: use hmac.Equal", s.at(n), n.Op)
				}
			case *ast.CallExpr:
				if isCall(n, "subtle", "ConstantTimeCompare") {
					report("%s: subtle.ConstantTimeCompare: use hmac.Equal", s.at(n))
				}
				for _, f := range [][2]string{{"bytes", "Equal"}, {"bytes", "Compare"}, {"strings", "EqualFold"}, {"strings", "Compare"}, {"reflect", "DeepEqual"}, {"slices", "Equal"}} {
					if isCall(n, f[0], f[1]) && (isSecret(n.Args[0]) || isSecret(n.Args[1])) {
						report("%s: a signature or secret is compared by %s.%s: use hmac.Equal", s.at(n), f[0], f[1])
					}
				}
			}
			return true
		})
	}
}

// isSecret reports whether e is a value named like a signature.
func isSecret(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return secret.MatchString(e.Name)
	case *ast.SelectorExpr:
		return secret.MatchString(e.Sel.Name)
	case *ast.CallExpr:
		return len(e.Args) == 1 && isSecret(e.Args[0]) // a conversion
	}
	return false
}

// isPlain reports whether e is written out, such as "" or nil: absent or there
// is no secret.
func isPlain(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil"
	}
	return false
}
