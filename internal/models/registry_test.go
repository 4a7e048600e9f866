package models_test

import (
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/models"
)

func TestTheRegistryOfThisBuild(t *testing.T) {
	registry, err := models.Registry()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range registry {
		names[m.Name] = true
		if m.About == "" {
			t.Errorf("%s does not say what it is", m.Name)
		}
		for _, f := range m.Files {
			for _, s := range f.Sources {
				for _, p := range s.Packages {
					if !strings.Contains(p.Package, "==") {
						t.Errorf("%s: package %s has no version: another one would not match the checksum", m.Name, p.Package)
					}
				}
			}
		}
	}
	for _, want := range []string{"smollm2-135m-instruct", "whisper-base", "silero-vad", "all-minilm-l6-v2"} {
		if !names[want] {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestParseRegistryRefuses(t *testing.T) {
	sum := strings.Repeat("0", 64)
	file := "{name: f, size: 1, sha256: " + sum + ", sources: [{hub: a/b/c}]}"
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "models: [{name: a, license: MIT}]", "license not found"},
		{"not YAML", "models: [", "did not find"},
		{"twice", "models: [{name: a, licence: MIT, files: [" + file + "]}, {name: a, licence: MIT, files: [" + file + "]}]", "twice"},
		{"no licence", "models: [{name: a, files: [" + file + "]}]", "licence"},
		{"no files", "models: [{name: a, licence: MIT}]", "files"},
		{"way out", "models: [{name: .., licence: MIT, files: [" + file + "]}]", "plain name"},
		{"file outside", "models: [{name: a, licence: MIT, files: [" + strings.Replace(file, "name: f", "name: ../f", 1) + "]}]", "plain name"},
		{"no size", "models: [{name: a, licence: MIT, files: [" + strings.Replace(file, "size: 1", "size: 0", 1) + "]}]", "size"},
		{"short sum", "models: [{name: a, licence: MIT, files: [" + strings.Replace(file, sum, "00", 1) + "]}]", "sha256"},
		{"no source", "models: [{name: a, licence: MIT, files: [" + strings.Replace(file, "{hub: a/b/c}", "", 1) + "]}]", "sources"},
		{"empty source", "models: [{name: a, licence: MIT, files: [" + strings.Replace(file, "hub: a/b/c", "", 1) + "]}]", "either"},
		{"short hub", "models: [{name: a, licence: MIT, files: [" + strings.Replace(file, "a/b/c", "a/b", 1) + "]}]", "owner/repository/path"},
	} {
		if _, err := models.ParseRegistry([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	if _, err := models.ParseRegistry([]byte("models: [{name: a, licence: MIT, files: [" + file + "]}]")); err != nil {
		t.Errorf("what the others were made from is refused too: %v", err)
	}
}
