package deploy_test

import (
	"bufio"
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const built = "../build/jetson"

// unpacked gives the files of the package that make jetson built.
func unpacked(t *testing.T) (root string) {
	t.Helper()
	deb := filepath.Join(built, "kuai.deb")
	if _, err := os.Stat(deb); err != nil {
		t.Skip("build/jetson/kuai.deb is missing (make jetson)")
	}
	root = t.TempDir()
	if out, err := exec.CommandContext(t.Context(), tool(t, "dpkg-deb", "apt-get install dpkg"), "-R", deb, root).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	return root
}

func TestPackageHoldsWhatItNeeds(t *testing.T) {
	root := unpacked(t)
	for path, mode := range map[string]os.FileMode{
		"usr/bin/kuai": 0o755, "usr/lib/kuai/libmujoco.so.3.17.0": 0o644, "usr/lib/systemd/system/kuai.service": 0o644,
		"usr/lib/udev/rules.d/60-kuai.rules": 0o644, "etc/kuai/robot.yaml": 0o640, "usr/share/doc/kuai/copyright": 0o644,
		"usr/share/doc/kuai/jetson.md": 0o644, "DEBIAN/postinst": 0o755, "DEBIAN/prerm": 0o755, "DEBIAN/postrm": 0o755,
	} {
		info, err := os.Stat(filepath.Join(root, path))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, want mode %o", path, err, mode)
		}
	}
	control, err := os.ReadFile(filepath.Join(root, "DEBIAN/control"))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^Version: [0-9]`).Match(control) || !strings.Contains(string(control), "Architecture: arm64\n") || strings.Contains(string(control), "@") && !strings.Contains(string(control), "kuai@") {
		t.Errorf("control:\n%s", control)
	}
	conffiles, err := os.ReadFile(filepath.Join(root, "DEBIAN/conffiles"))
	if err != nil || string(conffiles) != "/etc/kuai/robot.yaml\n" {
		t.Errorf("conffiles %q, %v", conffiles, err)
	}
}

// JetPack 6 is Ubuntu 22.04: glibc 2.35, FFmpeg 4.4, a libjpeg of another
// version and no OpenCV that is known.
func TestPackageRunsOnJetPack6(t *testing.T) {
	root := unpacked(t)
	control, err := os.ReadFile(filepath.Join(root, "DEBIAN/control"))
	if err != nil {
		t.Fatal(err)
	}
	// The package of each library that the program may want; empty: of glibc.
	packages := map[string]string{
		"libavcodec.so.58": "libavcodec58", "libavformat.so.58": "libavformat58", "libavutil.so.56": "libavutil56",
		"libswscale.so.5": "libswscale5", "libswresample.so.3": "libswresample3", "libmujoco.so.3.17.0": "kuai",
		"libc.so.6": "libc6", "libm.so.6": "libc6", "libpthread.so.0": "libc6", "libdl.so.2": "libc6", "librt.so.1": "libc6",
		"libresolv.so.2": "libc6", "ld-linux-aarch64.so.1": "libc6", "libstdc++.so.6": "libstdc++6", "libgcc_s.so.1": "libgcc-s1",
	}
	for _, path := range []string{"usr/bin/kuai", "usr/lib/kuai/libmujoco.so.3.17.0"} {
		file, err := elf.Open(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if file.Machine != elf.EM_AARCH64 {
			t.Errorf("%s is for %v", path, file.Machine)
		}
		libraries, err := file.ImportedLibraries()
		if err != nil {
			t.Fatal(err)
		}
		for _, library := range libraries {
			name, known := packages[library]
			if !known {
				t.Errorf("%s wants %s, which JetPack 6 does not have", path, library)
			} else if name != "kuai" && !strings.Contains(string(control), name) {
				t.Errorf("%s wants %s, and the package depends on no %s", path, library, name)
			}
		}
		newest := newestGlibc(t, file)
		t.Logf("%s: %s, glibc %d.%d", path, strings.Join(libraries, " "), newest[0], newest[1])
		if slices.Compare(newest[:], []int{2, 31}) > 0 {
			t.Errorf("%s wants glibc %v, the package promises 2.31", path, newest)
		}
		for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
			paths, err := file.DynString(tag)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range paths {
				if !strings.HasPrefix(p, "$ORIGIN") {
					t.Errorf("%s looks for libraries in %s", path, p)
				}
			}
		}
	}
}

func newestGlibc(t *testing.T, file *elf.File) (newest [2]int) {
	t.Helper()
	symbols, err := file.ImportedSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		var v [2]int
		if n, _ := fmt.Sscanf(s.Version, "GLIBC_%d.%d", &v[0], &v[1]); n == 2 && slices.Compare(v[:], newest[:]) > 0 {
			newest = v
		}
	}
	return newest
}

// program starts the packaged program, emulated where this is another processor.
func program(t *testing.T, ctx context.Context, root string, arguments ...string) *exec.Cmd {
	t.Helper()
	words := append([]string{filepath.Join(root, "usr/bin/kuai")}, arguments...)
	sysroot, err := filepath.Abs(filepath.Join(built, "sysroot"))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOARCH != "arm64" {
		if _, err := os.Stat(sysroot); err != nil {
			t.Skip("build/jetson/sysroot is missing (make jetson)")
		}
		words = append([]string{tool(t, "qemu-aarch64-static", "make test-deps"), "-L", sysroot}, words...)
	}
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	lib := filepath.Join(sysroot, "usr/lib/aarch64-linux-gnu")
	c.Env = append(os.Environ(), "LD_LIBRARY_PATH="+lib+":"+filepath.Join(sysroot, "lib/aarch64-linux-gnu"), "XDG_STATE_HOME="+root, "KUAI_MODELS="+filepath.Join(root, "models"), "KUAI_CONFIG=")
	return c
}

func TestPackagedProgramStarts(t *testing.T) {
	root := unpacked(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	settings := filepath.Join(root, "etc/kuai/robot.yaml")
	for _, c := range []struct {
		words string
		want  string
	}{
		{"version", "kuai "},
		{"config --config " + settings, "driver: sim"},
		{"doctor --config " + settings, "processor"},
		{"release --bus --config " + settings, "no servo bus"},
	} {
		// Doctor fails where something is missing here, which is not the question.
		out, err := program(t, ctx, root, strings.Fields(c.words)...).CombinedOutput()
		if !strings.Contains(string(out), c.want) || err != nil && !strings.HasPrefix(c.words, "doctor") {
			t.Errorf("kuai %s: %v\n%s", c.words, err, out)
		}
	}
}

// The installed configuration comes up, says so to a service manager, and ends
// when it is told to.
func TestPackagedServiceComesUp(t *testing.T) {
	root := unpacked(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	data, err := os.ReadFile(filepath.Join(root, "etc/kuai/robot.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// On free ports, and without pictures: an emulated processor draws for seconds.
	text := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(string(data), "127.0.0.1:0")
	text = strings.Replace(text, "sim:\n", "cameras: []\nsim:\n  rtsp: {listen: \"127.0.0.1:"+freePort(t)+"\"}\n", 1) +
		"safety: {max_state_age: 5s, max_tick: 5s}\n"
	settings := filepath.Join(root, "settings.yaml")
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(root, "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	c := program(t, ctx, root, "run", "--config", settings)
	c.Env = append(c.Env, "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=2000000")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 100)
	go func() {
		defer close(said)
		for buffer := make([]byte, 4096); ; {
			n, err := manager.Read(buffer)
			if err != nil {
				return
			}
			for lines := bufio.NewScanner(bytes.NewReader(buffer[:n])); lines.Scan(); {
				said <- lines.Text()
			}
		}
	}()
	for _, want := range []string{"READY=1", "STATUS=held", "STOPPING=1"} {
		if want == "STOPPING=1" {
			if err := c.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
		for heard := ""; !strings.HasPrefix(heard, want); {
			select {
			case heard = <-said:
			case <-ctx.Done():
				t.Fatalf("no %s came:\n%s", want, out.String())
			}
		}
	}
	if err := c.Wait(); err != nil && c.ProcessState.ExitCode() != 130 {
		t.Errorf("kuai run ended with %v\n%s", err, out.String())
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
