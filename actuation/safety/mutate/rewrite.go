package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// mutant is one change of the code.
type mutant struct {
	where string // file:line
	text  string // file: what → what instead
}

// prelude is added to the package: which mutant is on, and a choice between
// two values of which only one is computed.
const prelude = `package %s

import (
	"os"
	"strconv"
)

var mutant_ = func() int { n, err := strconv.Atoi(os.Getenv(%q)); if err != nil { return -1 }; return n }()

func pick_[T any](n int, changed, original func() T) T {
	if mutant_ == n {
		return changed()
	}
	return original()
}
`

// mutate makes every mutant of the package in dir.
func mutate(dir, work string) ([]mutant, string, error) {
	return instrument(dir, work, prelude, selector, (*rewriter).rewrite)
}

// instrument writes the files of the package in dir, as visit changes them, to
// work, and one more with the prelude. It gives what was changed, by number, and
// the file for go's -overlay.
func instrument(dir, work, prelude, variable string, visit func(*rewriter, *ast.File)) ([]mutant, string, error) {
	fset := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, "", err
	}
	var files []*ast.File
	var paths []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			return nil, "", err
		}
		files, paths = append(files, f), append(paths, name)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := config.Check(dir, fset, files, info)
	if err != nil {
		return nil, "", err
	}
	w := &rewriter{fset: fset, info: info, pkg: pkg}
	replace := map[string]string{}
	for i, f := range files {
		if w.source, err = os.ReadFile(paths[i]); err != nil {
			return nil, "", err
		}
		w.file, w.inserts = filepath.Base(paths[i]), nil
		visit(w, f)
		if err := place(replace, work, paths[i], w.result()); err != nil {
			return nil, "", err
		}
	}
	if err := place(replace, work, filepath.Join(dir, "mutants_.go"), []byte(fmt.Sprintf(prelude, pkg.Name(), variable))); err != nil {
		return nil, "", err
	}
	overlay := filepath.Join(work, "overlay.json")
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	return w.mutants, overlay, os.WriteFile(overlay, data, 0o600)
}

func place(replace map[string]string, work, path string, data []byte) error {
	full, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	replace[full] = filepath.Join(work, filepath.Base(path))
	return os.WriteFile(replace[full], data, 0o600)
}

// rewriter collects the insertions that turn one file into one with all its
// mutants. What is wrapped stays in its place, so that wraps nest.
type rewriter struct {
	fset    *token.FileSet
	info    *types.Info
	pkg     *types.Package
	mutants []mutant

	file    string
	source  []byte
	inserts []insert
}

type insert struct {
	at    int
	after bool // behind what ends there; inner ones first
	order int
	text  string
}

func (w *rewriter) result() []byte {
	sort.SliceStable(w.inserts, func(i, j int) bool {
		a, b := w.inserts[i], w.inserts[j]
		switch {
		case a.at != b.at:
			return a.at < b.at
		case a.after != b.after:
			return a.after
		case a.after:
			return a.order > b.order
		}
		return a.order < b.order
	})
	var out strings.Builder
	last := 0
	for _, in := range w.inserts {
		out.Write(w.source[last:in.at])
		out.WriteString(in.text)
		last = in.at
	}
	out.Write(w.source[last:])
	return []byte(out.String())
}

func (w *rewriter) text(n ast.Node) string {
	return string(w.source[w.offset(n.Pos()):w.offset(n.End())])
}

func (w *rewriter) line(n ast.Node) string {
	at := w.offset(n.Pos())
	start := strings.LastIndexByte(string(w.source[:at]), '\n') + 1
	line, _, _ := strings.Cut(string(w.source[start:]), "\n")
	return strings.TrimSpace(line)
}

func (w *rewriter) offset(p token.Pos) int { return w.fset.Position(p).Offset }

// wrap puts before and behind around n and counts a mutant; each %d becomes
// its number.
func (w *rewriter) wrap(n ast.Node, changed, before, behind string) {
	number, order := len(w.mutants), len(w.inserts)
	line := w.fset.Position(n.Pos()).Line
	original := strings.Join(strings.Fields(w.text(n)), " ")
	switch n.(type) {
	case *ast.BasicLit, *ast.Ident, *ast.BranchStmt: // which one, its line says
		original = w.line(n) + ": " + original
	}
	w.mutants = append(w.mutants, mutant{
		where: fmt.Sprintf("%s:%d", w.file, line),
		text:  fmt.Sprintf("%s: %s → %s", w.file, original, strings.Join(strings.Fields(changed), " ")),
	})
	before = strings.ReplaceAll(before, "%d", fmt.Sprint(number))
	w.inserts = append(w.inserts,
		insert{w.offset(n.Pos()), false, order, before},
		insert{w.offset(n.End()), true, order, behind})
}

// condition replaces a boolean expression.
func (w *rewriter) condition(e ast.Expr, changed string) {
	w.wrap(e, changed, "(mutant_ == %d && ("+changed+") || mutant_ != %d && (", "))")
}

// value replaces any other expression, lazily.
func (w *rewriter) value(e ast.Expr, changed string) {
	t := types.TypeString(w.info.Types[e].Type, func(p *types.Package) string {
		if p == w.pkg {
			return ""
		}
		return p.Name()
	})
	if strings.HasPrefix(t, "untyped") {
		return
	}
	w.wrap(e, changed, "pick_(%d, func() "+t+" { return "+changed+" }, func() "+t+" { return ", " })")
}
