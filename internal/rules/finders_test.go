package rules

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// noReference finds uses of a package's names, called or not, under whatever
// name the package was imported.
func noReference(pkg string, names ...string) func(*file, func(ast.Node, string)) {
	return func(f *file, report func(ast.Node, string)) {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if name, ok := f.qualified(n, pkg); ok && slices.Contains(names, name) {
				report(n, pkg+"."+name)
			}
			return true
		})
	}
}

func noImport(paths ...string) func(*file, func(ast.Node, string)) {
	return func(f *file, report func(ast.Node, string)) {
		for _, imp := range f.ast.Imports {
			if p, err := strconv.Unquote(imp.Path.Value); err == nil && slices.Contains(paths, p) {
				report(imp, "imports "+p)
			}
		}
	}
}

// qualified returns Name when n is pkg.Name.
func (f *file) qualified(n ast.Node, pkg string) (name string, ok bool) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", false
	}
	p, ok := f.pkg.uses[id].(*types.PkgName)
	return sel.Sel.Name, ok && p.Imported().Path() == pkg
}

// mentions tells whether pkg.Name occurs anywhere within n.
func (f *file) mentions(n ast.Node, pkg, name string) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		got, ok := f.qualified(n, pkg)
		found = found || ok && got == name
		return !found
	})
	return found
}

func opensFiles(f *file, report func(ast.Node, string)) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if name, ok := f.qualified(call.Fun, "os"); ok && name == "OpenFile" && f.mentions(call, "os", "O_EXCL") {
				return false
			}
		}
		if name, ok := f.qualified(n, "os"); ok && slices.Contains([]string{"Open", "OpenFile", "Create", "ReadFile", "WriteFile"}, name) {
			report(n, "os."+name)
		}
		return true
	})
}

func formattedSQL(f *file, report func(ast.Node, string)) {
	methods := []string{"Query", "QueryRow", "Exec", "Prepare"}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains(methods, strings.TrimSuffix(method.Sel.Name, "Context")) {
			return true
		}
		for _, arg := range call.Args {
			if f.mentions(arg, "fmt", "Sprintf") {
				report(arg, "fmt.Sprintf in "+method.Sel.Name)
			}
		}
		return true
	})
}

// mutableVariables finds package variables that exist to be changed, and
// changes of those that look like constants.
func mutableVariables(f *file, report func(ast.Node, string)) {
	for _, d := range f.ast.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.VAR {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.ValueSpec)
			for i, name := range spec.Names {
				fixed := len(spec.Values) == len(spec.Names) && constant(spec.Values[i])
				if name.Name != "_" && !fixed && !embedded(decl.Doc) && !embedded(spec.Doc) {
					report(name, "var "+name.Name)
				}
			}
		}
	}
	f.writes(func(at ast.Node) { report(at, "changes a package variable") })
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// constant tells whether nothing but a write to the variable itself can change
// this value; writes are looked for apart.
func constant(value ast.Expr) bool {
	table := func(typ ast.Expr) bool {
		switch typ.(type) {
		case *ast.MapType, *ast.ArrayType:
			return true
		}
		return false
	}
	switch v := value.(type) {
	case *ast.CompositeLit:
		return table(v.Type)
	case *ast.CallExpr:
		return table(v.Fun) || // []byte("…")
			slices.Contains(constantCalls, types.ExprString(v.Fun))
	}
	return false
}

// writes finds assignments to package variables, of this package or another,
// and what can become one: taking an address, delete, clear and copy.
func (f *file) writes(report func(at ast.Node)) {
	target := func(e ast.Expr) {
		if f.packageVariable(e) {
			report(e)
		}
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				target(e)
			}
		case *ast.IncDecStmt:
			target(n.X)
		case *ast.RangeStmt:
			target(n.Key)
			target(n.Value)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				target(n.X)
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && slices.Contains([]string{"delete", "clear", "copy"}, id.Name) {
				target(n.Args[0])
			}
		}
		return true
	})
}

// packageVariable tells whether e is a package variable or lies within one.
func (f *file) packageVariable(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return f.packageVariable(e.X)
	case *ast.IndexExpr:
		return f.packageVariable(e.X)
	case *ast.SliceExpr:
		return f.packageVariable(e.X)
	case *ast.StarExpr:
		return f.packageVariable(e.X)
	case *ast.SelectorExpr:
		return f.packageVariable(e.X)
	case *ast.Ident:
		switch obj := f.pkg.uses[e].(type) {
		case *types.PkgName:
			return true
		case *types.Var:
			return obj.Parent() == f.pkg.types.Scope()
		}
	}
	return false
}
