package task

import (
	_ "embed" // for the ways to say something
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/kuai-robot/kuai/robot"
)

//go:embed rephrase.yaml
var rephraseYAML []byte

var rephrasings = func() (all [][2]string) {
	if err := yaml.Unmarshal(rephraseYAML, &all); err != nil {
		panic(err) // the file is part of the program and a test reads it
	}
	return all
}()

// plainer says a text as the reader knows it: ways to say something that no word
// tells, such as "fill the basket with the fruit". What it does not know stays.
type plainer struct {
	mu     sync.Mutex
	places string // the places that the rules were made for
	rules  []rephrasing
}

type rephrasing struct {
	from *regexp.Regexp
	to   string
}

// say gives text in plainer words for the places of scene.
func (p *plainer) say(text string, scene *robot.Scene) string {
	places := placesOf(scene)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.places != places {
		p.places, p.rules = places, rules(places)
	}
	trimmed := strings.TrimRight(strings.TrimSpace(text), ".!。！ ")
	said := strings.ReplaceAll(strings.ToLower(trimmed), "’", "'")
	before := said
	for _, r := range p.rules {
		said = strings.TrimSpace(r.from.ReplaceAllString(said, r.to))
	}
	if said == before {
		return text
	}
	return said
}

// placesOf gives what may be a place here, as one pattern.
func placesOf(scene *robot.Scene) string {
	var names []string
	for i := range scene.Objects {
		switch o := &scene.Objects[i]; o.Kind {
		case "surface", "drawer", "bin", "basket", "sink":
			names = append(names, regexp.QuoteMeta(strings.ToLower(o.Name)))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "(?:" + strings.Join(append(names, "upper drawer", "lower drawer", "trash"), "|") + ")"
}

func rules(places string) []rephrasing {
	if places == "" {
		return nil
	}
	fill := strings.NewReplacer("{P}", places, "{X}", `[^,.;:!?]+?`, "{Y}", `[^,.;:!?]+?`, "{S}", `(^|[,.;] ?(?:and |then )?|\band |\bthen )`)
	all := make([]rephrasing, len(rephrasings))
	for i, r := range rephrasings {
		all[i] = rephrasing{regexp.MustCompile(fill.Replace(r[0])), r[1]}
	}
	return all
}
