package topics_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kuai-robot/kuai/internal/topics"
)

func TestDecodeRefuses(t *testing.T) {
	instruction := func(data string) error { _, err := topics.DecodeInstruction([]byte(data)); return err }
	skill := func(data string) error { _, err := topics.DecodeSkill([]byte(data)); return err }
	reset := func(data string) error { _, err := topics.DecodeReset([]byte(data)); return err }
	teleop := func(data string) error { _, err := topics.DecodeTeleop([]byte(data), 2); return err }
	for _, c := range []struct {
		name   string
		decode func(string) error
		data   string
		want   string
	}{
		{"nothing", instruction, ``, "empty"},
		{"100 kB", instruction, `{"id":"1","text":"` + strings.Repeat("a", 100_000) + `"}`, "100020 bytes"},
		{"not UTF-8", instruction, "{\"id\":\"1\",\"text\":\"\xff\xfe\"}", "not UTF-8"},
		{"broken", instruction, `{"id":"1","text":`, "ends too early"},
		{"not JSON", instruction, `pick up the block`, "broken JSON"},
		{"an array", instruction, `["1"]`, "not a JSON object"},
		{"unknown field", instruction, `{"id":"1","txt":"go"}`, `unknown field "txt", known are id, text`},
		{"field in another case", instruction, `{"ID":"1","text":"go"}`, `unknown field "ID"`},
		{"field twice", instruction, `{"id":"1","id":"2","text":"go"}`, "twice"},
		{"trailing", instruction, `{"id":"1","text":"go"} {}`, "follows"},
		{"wrong kind", instruction, `{"id":1,"text":"go"}`, `field "id" cannot hold a number`},
		{"empty text", instruction, `{"id":"1","text":"  "}`, "text is empty"},
		{"long text", instruction, `{"id":"1","text":"` + strings.Repeat("a", 2001) + `"}`, "2001 bytes"},
		{"control character", instruction, `{"id":"1","text":"a\u0000b"}`, "control character"},
		{"no id", instruction, `{"text":"go"}`, "id is empty"},
		{"long id", reset, `{"id":"` + strings.Repeat("a", 129) + `"}`, "129 bytes"},
		{"id with a newline", reset, `{"id":"a\nb"}`, "control character"},
		{"release without on", func(data string) error { _, err := topics.DecodeRelease([]byte(data)); return err }, `{"id":"1"}`, "on is missing"},
		{"release without id", func(data string) error { _, err := topics.DecodeRelease([]byte(data)); return err }, `{"on":true}`, "id is empty"},
		{"release by a word", func(data string) error { _, err := topics.DecodeRelease([]byte(data)); return err }, `{"id":"1","on":"yes"}`, `field "on" cannot hold`},
		{"skill without name", skill, `{"id":"1"}`, "name is empty"},
		{"too many args", skill, `{"id":"1","name":"x","args":["1","2","3","4","5","6","7","8","9"]}`, "at most 8"},
		{"empty arg", skill, `{"id":"1","name":"x","args":[""]}`, "args is empty"},
		{"neither", teleop, `{"at":1}`, "either position or velocity"},
		{"both", teleop, `{"at":1,"position":[1,2],"velocity":[1,2]}`, "either position or velocity"},
		{"no time", teleop, `{"position":[1,2]}`, "at must be"},
		{"joint missing", teleop, `{"at":1,"position":[1]}`, "1 joints are steered, the robot has 2"},
		{"huge number", teleop, `{"at":1,"position":[1e999,0]}`, "cannot hold a number 1e999"},
		{"too fast", teleop, `{"at":1,"velocity":[1e7,0]}`, "no position or velocity"},
		{"not a number", teleop, `{"at":1,"velocity":[NaN,0]}`, "broken JSON"},
		{"too many joints", teleop, `{"at":1,"velocity":[` + strings.Repeat("0,", 40) + `0]}`, "more than 32"},
	} {
		err := c.decode(c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestWhatIsEncodedDecodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := topics.Instruction{
			ID:   rapid.StringMatching(`[a-zA-Z0-9 _-]{1,64}`).Draw(t, "id"),
			Text: rapid.StringMatching(`[^\pC]{0,100}x`).Draw(t, "text"),
		}
		data, err := topics.Encode(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := topics.DecodeInstruction(data)
		if err != nil || got != want {
			t.Fatalf("%s: got %+v, %v", data, got, err)
		}
	})
}

func TestEveryExampleOfTheTableIsReadStrictly(t *testing.T) {
	seen := map[string]bool{}
	for _, topic := range topics.Table() {
		if seen[topic.Name] {
			t.Errorf("%s stands there twice", topic.Name)
		}
		seen[topic.Name] = true
		if topic.Doc == "" {
			t.Errorf("%s has no sentence", topic.Name)
		}
		if topic.Payload == nil {
			continue
		}
		data, err := topics.Encode(topic.Payload)
		if err != nil {
			t.Errorf("%s: %v", topic.Name, err)
			continue
		}
		v := reflect.New(reflect.TypeOf(topic.Payload))
		if err := topics.Unmarshal(data, v.Interface()); err != nil {
			t.Errorf("%s: %s: %v", topic.Name, data, err)
		}
		if again, _ := topics.Encode(v.Elem().Interface()); string(again) != string(data) {
			t.Errorf("%s: %s came back as %s", topic.Name, data, again)
		}
		if p, ok := topic.Payload.(topics.Payload); ok && p.Validate() != nil {
			t.Errorf("%s: the example is not valid: %v", topic.Name, p.Validate())
		}
	}
}

func TestEncodeRefusesWhatJSONCannotHold(t *testing.T) {
	if _, err := topics.Encode(topics.State{At: math.NaN()}); err == nil {
		t.Error("NaN was encoded")
	}
}

func TestPathAndName(t *testing.T) {
	path := topics.Path("so101", topics.NameStop)
	if path != "kuai/v1/so101/stop" {
		t.Errorf("Path = %q", path)
	}
	if name, ok := topics.Name("so101", path); !ok || name != topics.NameStop {
		t.Errorf("Name = %q, %v", name, ok)
	}
	if _, ok := topics.Name("so1", path); ok {
		t.Error("the topic of so101 was taken for one of so1")
	}
	for _, bad := range []string{"", "a/b", "+", "#", "a.b", "a b", strings.Repeat("x", 65)} {
		if topics.ValidRobot(bad) == nil {
			t.Errorf("robot name %q was taken", bad)
		}
	}
	if err := topics.ValidRobot("so101-left_2"); err != nil {
		t.Error(err)
	}
}

func TestStopReason(t *testing.T) {
	for payload, want := range map[string]string{
		"":                         "stop message",
		" \n\t":                    "stop message",
		"by hand":                  "stop message: by hand",
		"by\x00hand\r\nFAKE":       "stop message: by hand  FAKE",
		"\xff\xfe":                 "stop message: ?",
		strings.Repeat("a", 100):   "stop message: " + strings.Repeat("a", 80),
		strings.Repeat("快", 30):    "stop message: " + strings.Repeat("快", 26) + "?",
		`{"id":"1"}`:               `stop message: {"id":"1"}`,
		"\u202Ereversed\u2028line": "stop message: reversed line",
	} {
		if got := topics.StopReason([]byte(payload)); got != want {
			t.Errorf("%q: got %q, want %q", payload, got, want)
		}
	}
}

// FuzzDecode checks that nothing breaks the readers and that whatever they
// take is within the limits and means the same after a round trip.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1","text":"put the red block in the blue bowl"}`, `{"id":"1","name":"pick","args":["red block"]}`,
		`{"at":1.5,"velocity":[0,1e-3]}`, `{"id":"\u0000"}`, `{"id":"1","text":"\ud800"}`, `{"at":1e999}`, `{"id":"1","on":false}`, `{`, `[]`, "\xff", `{"id":"1"}{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := topics.DecodeInstruction(data); err == nil {
			roundTrip(t, m)
		}
		if m, err := topics.DecodeReset(data); err == nil {
			roundTrip(t, m)
		}
		if m, err := topics.DecodeRelease(data); err == nil {
			roundTrip(t, m)
		}
		if m, err := topics.DecodeSkill(data); err == nil {
			roundTrip(t, m)
		}
		if m, err := topics.DecodeTeleop(data, 2); err == nil {
			roundTrip(t, m)
			for _, v := range append(m.Position, m.Velocity...) {
				if !(math.Abs(v) <= 1e6) {
					t.Fatalf("%s: %g was taken", data, v)
				}
			}
		}
	})
}

func roundTrip[T topics.Payload](t *testing.T, m T) {
	t.Helper()
	if err := m.Validate(); err != nil {
		t.Fatalf("%+v was taken and is not valid: %v", m, err)
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var again T
	if err := topics.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(again, m) {
		t.Fatalf("%s came back as %+v, %v", data, again, err)
	}
}
