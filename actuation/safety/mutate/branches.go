package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// branchFile is the environment variable that names the file into which the
// instrumented package writes each branch when it is first taken.
const branchFile = "KUAI_BRANCHES"

// branchPrelude is added to the package. Each branch costs one write in all.
const branchPrelude = `package %s

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

var (
	taken_ [2][10000]atomic.Bool
	write_ sync.Mutex
)

func seen_[T ~bool](n int, v T) T {
	side := 0
	if v {
		side = 1
	}
	if taken_[side][n].CompareAndSwap(false, true) {
		write_.Lock()
		defer write_.Unlock()
		f, err := os.OpenFile(os.Getenv(%q), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(f, n, side)
		f.Close()
	}
	return v
}
`

// branches has every condition of f watched, and every operand of one that has
// several.
func (w *rewriter) branches(f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			w.watch(n.Cond)
		case *ast.ForStmt:
			w.watch(n.Cond)
		case *ast.SwitchStmt:
			if n.Tag != nil {
				return true
			}
			for _, c := range n.Body.List {
				for _, e := range c.(*ast.CaseClause).List {
					w.watch(e)
				}
			}
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				w.watch(n.X)
				w.watch(n.Y)
			}
		}
		return true
	})
}

// watch wraps a condition; one that is made of others is watched through them,
// and through the statement that it decides.
func (w *rewriter) watch(e ast.Expr) {
	if e != nil && w.info.Types[e].Value == nil {
		w.wrap(e, "", "seen_(%d, ", ")")
	}
}

// runBranches fails unless the tests of the package in dir take every branch.
func runBranches(dir string) error {
	work, err := os.MkdirTemp("", "branches")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	conditions, overlay, err := instrument(dir, work, branchPrelude, branchFile, (*rewriter).branches)
	if err != nil {
		return err
	}
	list := filepath.Join(work, "taken")
	cmd := exec.Command("go", "test", "-vet=off", "-count=1", "-short", "-overlay", overlay, "./"+dir)
	cmd.Env = append(os.Environ(), branchFile+"="+list)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go test ./%s: %w\n%s", dir, err, out)
	}
	taken, err := readTaken(list)
	if err != nil {
		return err
	}
	var bad []string
	for i, c := range conditions {
		for side, name := range []string{"false", "true"} {
			if !taken[[2]int{i, side}] {
				bad = append(bad, fmt.Sprintf("%s: never %s: %s", c.where, name, strings.TrimSuffix(c.text, " → ")))
			}
		}
	}
	fmt.Printf("%d conditions: %d of %d branches are taken by the tests\n", len(conditions), 2*len(conditions)-len(bad), 2*len(conditions))
	sort.Strings(bad)
	if len(bad) > 0 {
		return errors.New(strings.Join(bad, "\n"))
	}
	return nil
}

// readTaken reads which side of which condition was taken.
func readTaken(path string) (map[[2]int]bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("no condition was seen: %w", err)
	}
	taken := map[[2]int]bool{}
	for line := range strings.Lines(string(data)) {
		var at [2]int
		if _, err := fmt.Sscan(line, &at[0], &at[1]); err != nil {
			return nil, fmt.Errorf("branches: %q: %w", line, err)
		}
		taken[at] = true
	}
	return taken, nil
}
