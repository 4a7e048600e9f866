// Command mutate measures how much the tests of a package notice. It changes
// the code in every place where a small slip is imaginable (a bound that is
// off by one, a condition that always or never holds, a sign, a forgotten
// assignment) and runs the tests once for every change: those that still pass
// have a hole there. A condition of which each part may be neither always true
// nor always false is one of which both branches are tested. Statement coverage
// must be complete before it starts.
//
//	go run ./actuation/safety/mutate [-v] [-branches] [DIR]
//
// With -branches it changes nothing, runs the tests once and fails unless every
// condition, and every part of one, was seen both true and false.
//
// All changes are compiled into one test binary and chosen by an environment
// variable, so a mutant costs one run of the tests and no compilation. Changes
// that make no difference to any output are listed in DIR/mutate/equivalent.txt
// with the reason. It exits with 1 when a mutant survives that is not listed
// there, or one is listed that does not exist or does not survive.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

const (
	// selector is the environment variable that turns one mutant on.
	selector = "KUAI_MUTANT"
	// patience is how long the tests of one mutant may take before it counts
	// as noticed.
	patience = 30 * time.Second
)

func main() {
	verbose := flag.Bool("v", false, "print every mutant")
	branches := flag.Bool("branches", false, "count branches, change nothing")
	flag.Parse()
	dir := "actuation/safety"
	if flag.NArg() > 0 {
		dir = flag.Arg(0)
	}
	do := func() error { return run(dir, *verbose) }
	if *branches {
		do = func() error { return runBranches(dir) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(dir string, verbose bool) error {
	if err := checkCoverage(dir); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	mutants, overlay, err := mutate(dir, work)
	if err != nil {
		return err
	}
	binary := filepath.Join(work, "mutants.test")
	if out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, "./"+dir).CombinedOutput(); err != nil {
		return fmt.Errorf("the changed code does not compile: %w\n%s", err, out)
	}
	if survives(binary, dir, -1) != nil {
		return errors.New("the tests fail without any mutant (run go test first)")
	}
	equivalent, err := readEquivalent(filepath.Join(dir, "mutate", "equivalent.txt"))
	if err != nil {
		return err
	}
	return judge(mutants, testAll(binary, dir, mutants), equivalent, verbose)
}

var coverage = regexp.MustCompile(`coverage: ([0-9.]+)% of statements`)

// checkCoverage wants every statement of the package run by its own tests.
func checkCoverage(dir string) error {
	out, err := exec.Command("go", "test", "-cover", "./"+dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go test -cover ./%s: %w\n%s", dir, err, out)
	}
	share := coverage.FindSubmatch(out)
	if share == nil || string(share[1]) != "100.0" {
		return fmt.Errorf("the tests of %s do not run every statement: %s(see go test -coverprofile)", dir, out)
	}
	return nil
}

// testAll gives, for every mutant, whether the tests pass all the same.
func testAll(binary, dir string, mutants []mutant) []bool {
	alive := make([]bool, len(mutants))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range next {
				alive[i] = survives(binary, dir, i) == nil
			}
		}()
	}
	for i := range mutants {
		next <- i
	}
	close(next)
	workers.Wait()
	return alive
}

// survives runs the tests with one mutant on; nil says that they pass.
func survives(binary, dir string, i int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.failfast", "-test.short", "-rapid.nofailfile")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", selector, i))
	return cmd.Run()
}

// readEquivalent reads lines of the form "MUTANT # REASON".
func readEquivalent(path string) (map[string]bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		text, reason, ok := strings.Cut(line, " # ")
		if !ok || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%s: %q has no reason", path, line)
		}
		out[strings.TrimSpace(text)] = true
	}
	return out, nil
}

func judge(mutants []mutant, alive []bool, equivalent map[string]bool, verbose bool) error {
	killed, excused := 0, 0
	var bad []string
	used := map[string]bool{}
	for i, m := range mutants {
		listed := equivalent[m.text]
		used[m.text] = used[m.text] || alive[i]
		switch {
		case !alive[i]:
			killed++
		case listed:
			excused++
		default:
			bad = append(bad, fmt.Sprintf("%s: survives: %s", m.where, m.text))
		}
		if verbose {
			fmt.Printf("%-5v %s: %s\n", alive[i], m.where, m.text)
		}
	}
	for text := range equivalent {
		if !used[text] {
			bad = append(bad, "equivalent.txt lists what does not exist or does not survive: "+text)
		}
	}
	sort.Strings(bad)
	fmt.Printf("%d mutants: %d noticed, %d make no difference (equivalent.txt), %d survive\n", len(mutants), killed, excused, len(mutants)-killed-excused)
	if len(bad) > 0 {
		return errors.New(strings.Join(bad, "\n"))
	}
	return nil
}
