package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/models"
	"github.com/kuai-robot/kuai/kernels"
	"github.com/kuai-robot/kuai/kernels/cpu"
)

// What kuai needs of a machine with the default models.
const (
	enoughMemoryMB = 1500
	enoughDiskMB   = 1000
)

func lookProgram(context.Context) []finding {
	return []finding{{"kuai", good, fmt.Sprintf("%s, %s/%s, %s", version, runtime.GOOS, runtime.GOARCH, runtime.Version()), ""}}
}

func lookProcessor(context.Context) []finding {
	features := kernels.CPUFeatures()
	level := cpu.New(cpu.Options{Threads: 1}).(*cpu.Backend).Level()
	f := finding{"processor", good, fmt.Sprintf("%d cores: %s; kernels for %v", runtime.NumCPU(), strings.Join(features, ", "), level), ""}
	if level == cpu.Base && runtime.GOARCH == "amd64" {
		f.Level, f.Detail = warning, fmt.Sprintf("%d cores without AVX2: plain kernels, several times slower", runtime.NumCPU())
		f.Mend = "expect the language model to be slow, or use a processor of 2014 or later"
	}
	return append([]finding{f}, lookGPU()...)
}

func lookMemory(context.Context) []finding {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return nil // another system: nothing known
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kb uint64
		if n, _ := fmt.Sscanf(lines.Text(), "MemAvailable: %d kB", &kb); n == 1 {
			f := finding{"memory", good, fmt.Sprintf("%d MB free", kb>>10), ""}
			if kb>>10 < enoughMemoryMB {
				f.Level, f.Mend = warning, fmt.Sprintf("close other programs: the default models take up to %d MB", enoughMemoryMB)
			}
			return []finding{f}
		}
	}
	return nil
}

// library is one that the program is linked with or opens when it needs it.
type library struct{ what, file, pack, why string }

var libraries = []library{
	{"MuJoCo", "libmujoco.so", "", "the simulator"},
	{"OSMesa", "libOSMesa.so", "libosmesa6", "pictures of the simulated cameras"},
	{"OpenCV", "libopencv_core.so", "libopencv-core406", "USB and file cameras"},
	{"FFmpeg", "libavcodec.so", "libavcodec59", "H.264 and H.265 cameras"},
}

// lookLibraries finds libraries among what is loaded, else where they would be
// loaded from.
func lookLibraries(context.Context) []finding {
	maps, _ := os.ReadFile("/proc/self/maps")
	var all []finding
	for _, l := range libraries {
		f := finding{l.what, good, "", ""}
		if path := loaded(string(maps), l.file); path != "" {
			f.Detail = path
		} else if path := installed(l.file); path != "" {
			f.Detail = path + " (loaded when needed)"
		} else {
			f.Level, f.Detail, f.Mend = warning, l.file+" is missing: "+l.why, "scripts/deps.sh run"
			if l.pack != "" {
				f.Mend = "sudo apt-get install " + l.pack
			}
		}
		all = append(all, f)
	}
	return all
}

// loaded finds file in the text of /proc/self/maps.
func loaded(maps, file string) string {
	for line := range strings.Lines(maps) {
		fields := strings.Fields(line)
		if len(fields) >= 6 && strings.HasPrefix(filepath.Base(fields[5]), file) {
			return fields[5]
		}
	}
	return ""
}

func installed(file string) string {
	for _, pattern := range []string{"/usr/lib/*-linux-gnu/", "/usr/local/lib/", "/usr/lib/", "/usr/lib64/"} {
		if found, _ := filepath.Glob(pattern + file + "*"); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

func lookModels(c *config.Config) []finding {
	store, err := models.NewStore()
	if err != nil {
		return []finding{{"models", bad, err.Error(), "set KUAI_MODELS to a folder for models"}}
	}
	dir, err := store.Find(c.Planner.Model)
	if err != nil {
		return []finding{{"model", bad, err.Error(), "kuai models pull " + c.Planner.Model}}
	}
	return []finding{{"model", good, c.Planner.Model + " in " + dir, ""}}
}

func lookDisk(c *config.Config) []finding {
	dirs := []string{}
	if dir, err := models.DefaultDir(); err == nil {
		dirs = append(dirs, dir)
	}
	if dir, err := c.Record.Dir(); err == nil && c.Record.On {
		dirs = append(dirs, dir)
	}
	var all []finding
	for _, dir := range dirs {
		mb, ok := freeMB(dir)
		if !ok {
			continue
		}
		f := finding{"disk", good, fmt.Sprintf("%d MB free for %s", mb, dir), ""}
		if mb < enoughDiskMB {
			f.Level, f.Mend = warning, "free some space, or set KUAI_MODELS and record.folder to another disk"
		}
		all = append(all, f)
	}
	return all
}

// freeMB gives the space left for dir, which need not be there yet.
func freeMB(dir string) (mb uint64, ok bool) {
	for dir != filepath.Dir(dir) {
		var disk unix.Statfs_t
		if unix.Statfs(dir, &disk) == nil {
			return disk.Bavail * uint64(disk.Bsize) >> 20, true
		}
		dir = filepath.Dir(dir)
	}
	return 0, false
}
