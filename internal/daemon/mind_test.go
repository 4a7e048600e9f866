package daemon

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/fusion/transformer"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/policy/saycan"
)

func TestAdapterFollowsTheConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*config.Planner)
		some   bool
		prompt saycan.Prompt
	}{
		"built in":          {func(*config.Planner) {}, true, saycan.AdapterPrompt()},
		"none":              {func(p *config.Planner) { p.Adapter = config.None }, false, saycan.DefaultPrompt()},
		"another model":     {func(p *config.Planner) { p.Model = "other" }, false, saycan.DefaultPrompt()},
		"another catalogue": {func(p *config.Planner) { p.Catalogue = "mine.yaml" }, false, saycan.DefaultPrompt()},
		"the household":     {func(p *config.Planner) { p.Catalogue = config.Kitchen }, true, saycan.HouseholdPrompt()},
		"a folder":          {func(p *config.Planner) { p.Adapter, p.Model = "/somewhere", "other" }, true, saycan.AdapterPrompt()},
	} {
		p := config.Default().Planner
		c.change(&p)
		if folder, prompt := adapterOf(&p); (folder != nil) != c.some || prompt != c.prompt {
			t.Errorf("%s: adapter %v, prompt %+v", name, folder != nil, prompt)
		}
	}
}

// A wrong adapter is an error that names its key, and never plans.
func TestWrongAdapterIsRefused(t *testing.T) {
	needModel(t)
	for folder, want := range map[string]string{
		filepath.Join("..", "..", "fusion", "testdata", "tiny", "llama", "adapter"): "another base model",
		t.TempDir(): "adapter_config.json",
	} {
		c := config.Default()
		c.Planner.Adapter = folder
		_, err := newMind(&c)
		if err == nil || !strings.Contains(err.Error(), "planner.adapter: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want planner.adapter and %q", folder, err, want)
		}
		if want == "another base model" && !errors.Is(err, transformer.ErrOtherBase) {
			t.Errorf("%s: %v is not ErrOtherBase", folder, err)
		}
	}
}
