package daemon

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
)

// scrape gives what /metrics says.
func scrape(d *Daemon) string {
	page := httptest.NewRecorder()
	d.metrics().ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return page.Body.String()
}

var typeLine = regexp.MustCompile(`(?m)^# TYPE kuai_(\S+) (\S+)$`)

// otherTests say which metrics other tests have.
var otherTests = []string{"with a servo bus", "with a microphone", "once somebody spoke", "once a stop word was said", "once one has panicked"}

// A robot that has done something tells every metric of the table that applies
// to it, with the kind that the table says.
func TestMetricsAreThoseOfTheTable(t *testing.T) {
	r, h := start(t, func(c *config.Config) { c.Record.On, c.Record.Folder = true, t.TempDir() })
	r.mustSend(t, topics.NameInstruction, topics.Instruction{ID: "1", Text: "pick up the red block"})
	h.kind("1", topics.EventSucceeded)
	text := scrape(r.daemon)
	found := map[string]string{}
	for _, m := range typeLine.FindAllStringSubmatch(text, -1) {
		found[m[1]] = m[2]
	}
	for _, m := range Metrics() {
		kind, ok := found[m.Name]
		if !slices.Contains(otherTests, m.When) && (!ok || kind != m.Kind) {
			t.Errorf("kuai_%s is %q, want %s", m.Name, kind, m.Kind)
		}
		delete(found, m.Name)
	}
	if len(found) > 0 {
		t.Errorf("the table lacks %v", found)
	}
	for _, want := range []string{
		`kuai_stage_seconds{stage="capture",quantile="0.99"}`, `kuai_stage_seconds_count{stage="command"}`,
		`kuai_model_seconds_count{model="smollm2-135m-instruct"}`, `kuai_driver_seconds_sum{call="write"}`, `kuai_loop_stage_seconds{quantile="0.99",stage="decide"}`,
		`kuai_messages_total{kind="succeeded",topic="event"} 1`, `kuai_queue_dropped_total{queue="broker"}`, `kuai_queue_dropped_total{queue="camera/front"}`,
		`kuai_safety_verdicts_total{code="ok"}`, `kuai_broker_connected{link="stop"} 1`, `kuai_ready 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	r.daemon.Stop("enough")
	r.mustReach(t, safety.Stopped)
	if text := scrape(r.daemon); !strings.Contains(text, `kuai_safety_verdicts_total{code="stop_asked"} 1`) || !strings.Contains(text, `kuai_safety_mode{mode="stopped"} 1`) {
		t.Error("a stop is not counted")
	}
}

// The labels name the safety core's constants in their order.
func TestLabelsNameTheSafetyCore(t *testing.T) {
	for i, name := range modeNames {
		if got := safety.Mode(i).String(); got != name {
			t.Errorf("mode %d is %s, the label says %s", i, got, name)
		}
	}
	if safety.Code(len(codeNames)-1).String() == "unknown reason" || safety.Code(len(codeNames)).String() != "unknown reason" {
		t.Errorf("%d codes have labels, the safety core has others", len(codeNames))
	}
	if codeNames[safety.Contact] != "contact" || codeNames[safety.StateStale] != "state_stale" || codeNames[safety.StopAsked] != "stop_asked" {
		t.Errorf("codes are out of order: %v", codeNames)
	}
	if 1<<(len(limitNames)-1) != int(safety.LimitWorkspace) {
		t.Errorf("limits %v", limitNames)
	}
}

var kuaiMetric = regexp.MustCompile(`kuai_[a-z0-9_]+`)

// Whatever a dashboard or an alarm asks for is there.
func TestDashboardsAskForMetricsThatAre(t *testing.T) {
	known := []string{}
	for _, m := range Metrics() {
		known = append(known, "kuai_"+m.Name)
		if m.Kind == summaryMetric {
			known = append(known, "kuai_"+m.Name+"_count", "kuai_"+m.Name+"_sum")
		}
	}
	asked := map[string]bool{}
	root := filepath.Join("..", "..", "deploy", "grafana")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".json") && !json.Valid(data) {
			t.Errorf("%s is not JSON", path)
		}
		for _, name := range kuaiMetric.FindAllString(string(data), -1) {
			asked[name] = true
			if !slices.Contains(known, name) {
				t.Errorf("%s asks for %s, which nobody tells", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) < 20 {
		t.Errorf("the dashboard asks for %d metrics alone", len(asked))
	}
}
