package expert_test

import (
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/robot"
	"github.com/kuai-robot/kuai/sim/expert"
	"github.com/kuai-robot/kuai/sim/world"
)

var (
	episodes = flag.Int("episodes", 4, "episodes of each kind that TestEpisodes runs")
	seed     = flag.Uint64("seed", 1000, "first seed of TestEpisodes")
	pictures = flag.String("pictures", "", "folder for a picture of every failed episode")
	trace    = flag.Bool("steps", false, "log every observation")
)

// refresh is how often the expert is asked for a chunk.
const refresh = 100 * time.Millisecond

// table is a world in lockstep with the control loop, as the daemon wires them.
type table struct {
	t      testing.TB
	world  *world.World
	loop   *control.Loop
	clock  *world.Clock
	expert *expert.Expert
	// limited counts ticks on which the safety core changed a command.
	limited, ticks int
	chunks         uint64
	// delay is how long a chunk takes from its observation to the loop, speed
	// the share of full speed that the safety core grants; 0: all.
	delay time.Duration
	speed float64
	// see may change every observation before the expert gets it, or do
	// something to the robot.
	see func(o *robot.Observation)
	// got is called with every chunk and the observation it is made from.
	got func(o *robot.Observation, c *robot.Chunk)
}

func newTable(t testing.TB) *table {
	t.Helper()
	w, err := world.New(world.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &table{t: t, world: w}
	t.Cleanup(func() { w.Close() })
	b.clock, err = world.NewClock(w, 0, b.tick)
	if err != nil {
		t.Fatal(err)
	}
	b.renew()
	return b
}

// renew starts the loop and the expert anew, as a new process would.
func (b *table) renew() {
	b.t.Helper()
	config := safety.DefaultConfig()
	if b.speed > 0 {
		config.Policy.Speed = b.speed
	}
	limits, err := safety.Compile(b.world.Description(), config)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.loop, err = control.New(limits, b.world, b.clock, control.Config{}); err != nil {
		b.t.Fatal(err)
	}
	b.expert = expert.New(b.world.Description())
	b.limited, b.ticks, b.see, b.got = 0, 0, nil, nil
}

func (b *table) reset(seed uint64, spec world.Spec) {
	b.t.Helper()
	if err := b.world.Reset(seed, spec); err != nil {
		b.t.Fatal(err)
	}
	b.renew()
	b.wait(50 * time.Millisecond)
}

func (b *table) tick() {
	b.loop.Tick()
	b.ticks++
	if s := b.loop.Status(); s.Verdict.Limited != 0 {
		b.limited++
		if *trace {
			b.t.Logf("%v: limited %06b", b.clock.Now(), s.Verdict.Limited)
		}
	}
}

func (b *table) wait(d time.Duration) {
	b.t.Helper()
	if err := b.clock.Wait(context.Background(), b.clock.Now().Add(d)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *table) observe() *robot.Observation {
	b.t.Helper()
	state, err := b.world.Read()
	if err != nil {
		b.t.Fatal(err)
	}
	return &robot.Observation{At: b.clock.Now(), State: state, Scene: b.world.Scene()}
}

// look is what the expert gets to see.
func (b *table) look() *robot.Observation {
	o := b.observe()
	if b.see != nil {
		b.see(o)
	}
	return o
}

// do runs one skill to its end and gives the outcome; an error of Begin is a
// failure.
func (b *table) do(name string, args ...string) robot.Outcome {
	b.t.Helper()
	o := b.look()
	if err := b.expert.Begin(robot.Skill{Name: name, Args: args}, o); err != nil {
		return robot.Outcome{Status: robot.Failed, Reason: "begin: " + err.Error()}
	}
	for range 1000 {
		o := b.look()
		chunk, outcome := b.expert.Next(o)
		b.chunks++
		chunk.ID, chunk.Source = b.chunks, robot.SourcePolicy
		b.wait(b.delay)
		b.loop.Submit(chunk)
		if b.got != nil {
			b.got(o, &chunk)
		}
		if *trace {
			b.trace(o, &chunk, name, args)
		}
		if outcome.Status != robot.Running {
			b.wait(refresh)
			return outcome
		}
		b.wait(refresh - b.delay)
	}
	b.t.Fatalf("%s %v does not end", name, args)
	return robot.Outcome{}
}

func (b *table) trace(o *robot.Observation, c *robot.Chunk, name string, args []string) {
	tool := b.world.Description().ToolPose(&o.State.Position)
	line := fmt.Sprintf("%v %s%v q %.2f plan %.2f grip %.4f %.4f tool %.3f", o.At, name, args, o.State.Position[:5],
		c.Actions[0][:5], o.State.Position[5], c.Actions[0][5], tool.Position)
	if len(args) > 0 {
		if block, ok := o.Scene.Find(args[0]); ok {
			line += fmt.Sprintf(" block %.3f held %v on %q in %q", block.Pose.Position, block.Held, block.On, block.In)
		}
	}
	b.t.Log(line, b.loop.Status().Verdict.Code)
}

// picture writes what the front camera sees.
func (b *table) picture(name string) {
	if *pictures == "" {
		return
	}
	const width, height = 640, 480
	rgb := make([]byte, 3*width*height)
	if err := b.world.Render("front", width, height, rgb); err != nil {
		b.t.Log(err)
		return
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		img.Set(i%width, i/width, color.RGBA{rgb[3*i], rgb[3*i+1], rgb[3*i+2], 255})
	}
	f, err := os.Create(filepath.Join(*pictures, name+".png"))
	if err != nil {
		b.t.Log(err)
		return
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		b.t.Log(err)
	}
}
