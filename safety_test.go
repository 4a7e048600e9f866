package kuai_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/safety.md is a promise: every row of its table of hazards names a test, and
// every test that it names exists.
func TestSafetyDocumentNamesTests(t *testing.T) {
	exists := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (path == "build" || path == "web" || path != "." && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range function.FindAllSubmatch(text, -1) {
			exists[string(m[1])] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("docs/safety.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test\\w+)`")
	for _, m := range named.FindAllSubmatch(document, -1) {
		if !exists[string(m[1])] {
			t.Errorf("docs/safety.md names %s, which no file has", m[1])
		}
	}
	_, table, _ := strings.Cut(string(document), "| cause | what detects it |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(table, "\n")[2:]
	for _, row := range rows {
		if !named.MatchString(row) {
			t.Errorf("docs/safety.md: no test shows this: %s", row)
		}
	}
	if len(rows) < 20 {
		t.Errorf("the table of hazards has %d rows: is this still how it is written?", len(rows))
	}
}
