package main

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

// bounds are comparisons with the bound itself moved to the other side.
var bounds = map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}

// opposite are operators that are easily confused.
var opposite = map[token.Token]string{
	token.ADD: "-", token.SUB: "+", token.MUL: "/", token.QUO: "*", token.LAND: "||", token.LOR: "&&", token.OR: "&", token.AND: "|",
}

// rewrite finds what to change in f.
func (w *rewriter) rewrite(f *ast.File) {
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok != token.VAR {
			continue
		}
		ast.Inspect(d, w.visit)
	}
}

func (w *rewriter) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		w.decides(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			w.condition(n.Cond, "false")
		}
	case *ast.CaseClause:
		for _, e := range n.List {
			w.decides(e)
		}
	case *ast.BlockStmt:
		w.statements(n.List)
	case *ast.BinaryExpr:
		w.binary(n)
	case *ast.CallExpr:
		w.call(n)
	case *ast.Ident:
		w.name(n)
	case *ast.BasicLit:
		w.literal(n)
	case *ast.KeyValueExpr:
		ast.Inspect(n.Value, w.visit)
		return false
	case *ast.ArrayType, *ast.FuncType, *ast.TypeSpec:
		return false
	case *ast.SelectorExpr:
		ast.Inspect(n.X, w.visit)
		return false
	}
	if c, ok := n.(*ast.CaseClause); ok {
		w.statements(c.Body)
	}
	return true
}

// decides makes a condition hold always and never.
func (w *rewriter) decides(e ast.Expr) {
	w.condition(e, "true")
	w.condition(e, "false")
}

func (w *rewriter) binary(n *ast.BinaryExpr) {
	if w.info.Types[n].Value != nil {
		return
	}
	x, y := w.text(n.X), w.text(n.Y)
	if bound, ok := bounds[n.Op]; ok {
		w.condition(n, x+" "+bound+" "+y)
	}
	other, ok := opposite[n.Op]
	if t, isBasic := w.info.Types[n].Type.Underlying().(*types.Basic); isBasic && t.Info()&types.IsString != 0 {
		ok = false
	}
	switch {
	case !ok:
	case n.Op == token.LAND || n.Op == token.LOR:
		w.condition(n, "("+x+") "+other+" ("+y+")")
		w.decides(n.X)
		w.decides(n.Y)
	default:
		w.value(n, "("+x+") "+other+" ("+y+")")
	}
}

func (w *rewriter) call(n *ast.CallExpr) {
	name, ok := n.Fun.(*ast.Ident)
	if !ok || w.info.Types[n].Value != nil {
		return
	}
	swap := map[string]string{"min": "max", "max": "min"}[name.Name]
	if swap != "" {
		w.value(n, swap+w.text(n)[len(name.Name):])
	}
	if name.Name == "abs" {
		w.value(n, w.text(n.Args[0]))
	}
}

// name changes constants: true to false, a mode or code to the one after it.
func (w *rewriter) name(n *ast.Ident) {
	tv, ok := w.info.Types[n]
	if !ok || tv.Value == nil || n.Name == "_" {
		return
	}
	switch tv.Value.Kind() {
	case constant.Bool:
		w.condition(n, map[string]string{"true": "false", "false": "true"}[n.Name])
	case constant.Int:
		w.value(n, n.Name+" + 1")
	}
}

func (w *rewriter) literal(n *ast.BasicLit) {
	if n.Kind == token.INT || n.Kind == token.FLOAT {
		w.value(n, n.Value+" + 1")
	}
}

// statements leaves out one statement at a time, but for those that others
// need to compile.
func (w *rewriter) statements(list []ast.Stmt) {
	for _, s := range list {
		leave := false
		switch s := s.(type) {
		case *ast.AssignStmt:
			leave = s.Tok != token.DEFINE
		case *ast.ExprStmt, *ast.IncDecStmt:
			leave = true
		case *ast.BranchStmt:
			leave = s.Label == nil
		}
		if leave {
			w.wrap(s, "nothing", "if mutant_ != %d { ", " }")
		}
	}
}
