package emulate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"sync"
)

// sanitize makes every access of a kernel a call, which runtime/memory.cpp takes.
var sanitize = []string{
	"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "--param", "asan-instrumentation-with-call-threshold=0", "-DKUAI_EMULATE",
}

var common = []string{"-std=c++17", "-O1", "-g", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-parameter"}

// folder is where this file lies: the sources are beside it.
func folder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// Sources are the kernels that kuai has.
func Sources() ([]string, error) { return filepath.Glob(filepath.Join(folder(), "..", "*.cu")) }

var building sync.Mutex

// Build compiles kernels into an emulator, or finds it compiled.
func Build(sources []string) (path string, err error) {
	building.Lock()
	defer building.Unlock()
	here := folder()
	own, _ := filepath.Glob(filepath.Join(here, "runtime", "*.cpp"))
	headers, _ := filepath.Glob(filepath.Join(here, "runtime", "*.h"))
	shared, _ := filepath.Glob(filepath.Join(here, "..", "*.h"))
	name, err := hash(append(append(append(append([]string{}, sources...), own...), headers...), shared...))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path = filepath.Join(cache, "kuai", "emulator-"+name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(filepath.Dir(path), "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	if err := compile(work, sources, own); err != nil {
		return "", err
	}
	return path, os.Rename(filepath.Join(work, "emulator"), path)
}

func hash(files []string) (string, error) {
	sort.Strings(files)
	h := sha256.New()
	fmt.Fprintln(h, common, sanitize)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, filepath.Base(f), len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:10]), nil
}

func compile(work string, sources, own []string) error {
	include := []string{"-I", filepath.Join(folder(), ".."), "-I", filepath.Join(folder(), "runtime")}
	var jobs [][]string
	var objects []string
	for i, file := range append(append([]string{}, sources...), own...) {
		object := filepath.Join(work, fmt.Sprintf("%d.o", i))
		objects = append(objects, object)
		args := append(append([]string{}, common...), include...)
		if i < len(sources) {
			args = append(append(args, sanitize...), "-x", "c++")
		}
		jobs = append(jobs, append(args, "-c", file, "-o", object))
	}
	var wait sync.WaitGroup
	errs, slots := make([]error, len(jobs)), make(chan struct{}, runtime.NumCPU())
	for i, args := range jobs {
		wait.Add(1)
		go func() {
			defer wait.Done()
			slots <- struct{}{}
			errs[i] = run(args)
			<-slots
		}()
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return run(append(append([]string{"-fsanitize=address,undefined", "-o", filepath.Join(work, "emulator")}, objects...), "-ldl"))
}

func run(args []string) error {
	if out, err := exec.Command("g++", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("g++ %v: %w\n%s", args, err, out)
	}
	return nil
}
