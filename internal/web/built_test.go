package web

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBuilt holds the page that the program carries to its sources. It needs
// node and the packages of web/ (npm ci --prefix web).
func TestBuilt(t *testing.T) {
	const builder = "../../web/build.mjs"
	if _, err := os.Stat("../../web/node_modules/esbuild"); err != nil {
		t.Skip("esbuild is not installed (make test-web)")
	}
	// Read here too, so that go test knows what the result depends on.
	for _, source := range []string{"*.mjs", "*.json", "src/*"} {
		files, err := filepath.Glob("../../web/" + source)
		if err != nil || len(files) == 0 {
			t.Fatalf("web/%s: no files (%v)", source, err)
		}
		for _, file := range files {
			if _, err := os.Stat(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	folder := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "node", builder, folder).CombinedOutput(); err != nil {
		t.Fatalf("node %s: %v\n%s", builder, err, out)
	}
	built := map[string]bool{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		built[name] = true
		want, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		got, err := pageFiles.ReadFile("page/" + name)
		if err != nil || string(got) != string(want) {
			t.Errorf("page/%s is not what web/src gives (%v): run make web", name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := pageFiles.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !built[file.Name()] {
			t.Errorf("page/%s has no source in web/src", file.Name())
		}
	}
}

// maxPage bounds what a browser fetches before it shows the page, compressed.
const maxPage = 64 << 10

func TestPageIsSmall(t *testing.T) {
	total := PageBytes()
	t.Logf("the page has %d bytes compressed", total)
	if total > maxPage {
		t.Errorf("the page has %d bytes compressed, at most %d are wanted", total, maxPage)
	}
}
