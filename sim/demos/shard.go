package demos

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/robot/hand"
)

// ShardFrames is about how many frames a shard holds: it ends with the episode
// that passes it.
const ShardFrames = 4000

// Shards is the Sink that writes safetensors files for training into a folder:
//
//	front, wrist   u8  [n, height, width, 3]
//	features       f32 [n, hand.Features]
//	hand           f32 [n, 6]           x, y, z, tilt, roll, grip
//	ahead          f32 [n, Horizon, 6]  the teacher's advice, likewise
//	done_at        u8  [n]              from which step of it on the skill is over
//	target, place  f32 [n, 3]           where the arguments are; NaN: there is none
//	phrase, episode, step  i32 [n]
//	holds          u8  [n]              the skill's promise holds now
//	success        u8  [n]              and it did when the skill was over
//
// The metadata has the phrases, and of each episode the seed and the names of the
// things that stand there, in JSON.
type Shards struct {
	dir    string
	phrase func(robot.Skill) string
	arm    *hand.Arm
	next   int
	shard  *shard
	// began is the first frame of the episode, and of each of its skills.
	began  int
	skills []int
	skill  string
	before *robot.Scene
}

type shard struct {
	columns []*column
	n       int
	phrases []string
	seeds   []string
	things  [][]string
}

// column is one tensor that grows.
type column struct {
	name, dtype string
	shape       []int // of one frame
	data        []byte
}

// NewShards writes into dir after the shards that are there already; phrase
// gives the words for a skill.
func NewShards(dir string, d *robot.Description, phrase func(robot.Skill) string) (*Shards, error) {
	arm, err := hand.New(d)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &Shards{dir: dir, phrase: phrase, arm: arm}
	there, err := filepath.Glob(filepath.Join(dir, "shard-*.safetensors"))
	if err != nil {
		return nil, err
	}
	for _, path := range there {
		var n int
		if _, err := fmt.Sscanf(filepath.Base(path), "shard-%d.safetensors", &n); err == nil {
			s.next = max(s.next, n+1)
		}
	}
	s.shard = newShard()
	return s, nil
}

func newShard() *shard {
	of := func(name, dtype string, shape ...int) *column { return &column{name: name, dtype: dtype, shape: shape} }
	return &shard{columns: []*column{
		of("front", "U8", FrontHeight, FrontWidth, 3), of("wrist", "U8", WristHeight, WristWidth, 3),
		of("features", "F32", hand.Features), of("hand", "F32", hand.Size), of("ahead", "F32", Horizon, hand.Size),
		of("done_at", "U8"), of("target", "F32", 3), of("place", "F32", 3),
		of("phrase", "I32"), of("episode", "I32"), of("step", "I32"), of("holds", "U8"), of("success", "U8"),
	}}
}

// Begin implements Sink.
func (s *Shards) Begin(e *Episode) error {
	s.began, s.skills, s.skill = s.shard.n, nil, ""
	s.shard.seeds = append(s.shard.seeds, strconv.FormatUint(e.Seed, 10))
	things := []string{}
	for i := range e.Spec.Objects {
		things = append(things, e.Spec.Objects[i].Name)
	}
	s.shard.things = append(s.shard.things, things)
	return nil
}

// Add implements Sink.
func (s *Shards) Add(f *Frame) error {
	if name := f.Skill.String(); name != s.skill || f.Step == 0 {
		s.skill, s.before = name, f.Scene
		s.skills = append(s.skills, s.shard.n)
	}
	// Where nobody looked at the scene, the end of a demonstration is its success.
	holds := f.Ahead.DoneAt == 0
	if f.Scene != nil {
		_, holds = robot.HoldAll(Promise(f.Skill), s.before, f.Scene)
	}
	felt := s.arm.Feel(&f.State, &f.Stroke)
	now := f.Hand.Vector()
	c := s.shard.columns
	c[0].data, c[1].data = append(c[0].data, f.Front...), append(c[1].data, f.Wrist...)
	for _, v := range felt {
		c[2].float(float64(v))
	}
	c[3].float(now[:]...)
	for k := range Horizon {
		v := f.Ahead.Hands[k].Vector()
		c[4].float(v[:]...)
	}
	c[5].data = append(c[5].data, byte(f.Ahead.DoneAt))
	for i := range 2 {
		at := where(f, i)
		c[6+i].float(at[:]...)
	}
	c[8].int(s.shard.phraseIndex(s.phrase(f.Skill)))
	c[9].int(len(s.shard.seeds) - 1)
	c[10].int(f.Step)
	c[11].bool(holds)
	c[12].bool(false)
	s.shard.n++
	return nil
}

// where gives the place of the skill's i-th argument.
func where(f *Frame, i int) robot.Vec3 {
	if i < len(f.Skill.Args) && f.Scene != nil {
		if o, ok := f.Scene.Find(f.Skill.Args[i]); ok {
			return o.Pose.Position
		}
	}
	nan := math.NaN()
	return robot.Vec3{nan, nan, nan}
}

// End implements Sink.
func (s *Shards) End(success []bool) error {
	column := s.shard.columns[12].data
	for i, from := range s.skills {
		to := s.shard.n
		if i+1 < len(s.skills) {
			to = s.skills[i+1]
		}
		if i < len(success) && success[i] {
			for k := from; k < to; k++ {
				column[k] = 1
			}
		}
	}
	if s.shard.n >= ShardFrames {
		return s.Flush()
	}
	return nil
}

// Abandon forgets the episode that was begun.
func (s *Shards) Abandon() {
	for _, c := range s.shard.columns {
		c.data = c.data[:s.began*c.bytes()]
	}
	s.shard.n = s.began
	s.shard.seeds = s.shard.seeds[:len(s.shard.seeds)-1]
	s.shard.things = s.shard.things[:len(s.shard.things)-1]
}

// Flush writes the shard under way.
func (s *Shards) Flush() error {
	if s.shard.n == 0 {
		return nil
	}
	path := filepath.Join(s.dir, fmt.Sprintf("shard-%05d.safetensors", s.next))
	err := s.shard.write(path + ".part")
	if err == nil {
		err = os.Rename(path+".part", path)
	}
	if err != nil {
		return fmt.Errorf("shard %s: %w", path, err)
	}
	s.next++
	s.shard = newShard()
	return nil
}

func (s *shard) phraseIndex(phrase string) int {
	i := slices.Index(s.phrases, phrase)
	if i < 0 {
		i = len(s.phrases)
		s.phrases = append(s.phrases, phrase)
	}
	return i
}

func (c *column) float(vs ...float64) {
	for _, v := range vs {
		c.data = binary.LittleEndian.AppendUint32(c.data, math.Float32bits(float32(v)))
	}
}

func (c *column) int(v int) { c.data = binary.LittleEndian.AppendUint32(c.data, uint32(int32(v))) }

func (c *column) bool(v bool) {
	if v {
		c.data = append(c.data, 1)
		return
	}
	c.data = append(c.data, 0)
}

// bytes of one frame.
func (c *column) bytes() int {
	n := map[string]int{"U8": 1, "F32": 4, "I32": 4}[c.dtype]
	for _, d := range c.shape {
		n *= d
	}
	return n
}

// write writes s as a safetensors file.
func (s *shard) write(path string) error {
	meta := map[string]string{}
	for name, v := range map[string]any{"phrases": s.phrases, "seeds": s.seeds, "things": s.things} {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		meta[name] = string(text)
	}
	header := map[string]any{"__metadata__": meta}
	at := 0
	// Wide columns first, so that every column lies aligned to its numbers.
	ordered := slices.Clone(s.columns)
	slices.SortStableFunc(ordered, func(a, b *column) int { return width(b) - width(a) })
	for _, c := range ordered {
		header[c.name] = map[string]any{"dtype": c.dtype, "shape": append([]int{s.n}, c.shape...), "data_offsets": [2]int{at, at + len(c.data)}}
		at += len(c.data)
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = file.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...))
	for _, c := range ordered {
		if err == nil {
			_, err = file.Write(c.data)
		}
	}
	return errors.Join(err, file.Close())
}

func width(c *column) int {
	if c.dtype == "U8" {
		return 1
	}
	return 4
}
