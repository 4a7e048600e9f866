package daemon

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/record"
	"github.com/kuai-robot/kuai/internal/replay"
	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/policy/agent"
	"github.com/kuai-robot/kuai/robot"
)

// recording keeps what the robot sees, thinks and does, so that it can be
// replayed. A nil one keeps nothing.
type recording struct {
	recorder *record.Recorder
	loop     *replay.Watcher
	tape     *replay.Tape // nil without an agent
	joints   int
}

func (d *Daemon) buildRecording() error {
	if !d.config.Record.On {
		return nil
	}
	dir, err := d.config.Record.Dir()
	if err != nil {
		return err
	}
	header, err := d.recordingHeader()
	if err != nil {
		return err
	}
	recorder, err := record.Open(record.Options{
		Dir: dir, Clock: d.clock, Description: d.description, MaxBytes: int64(d.config.Record.BudgetGB * 1e9),
		Header: header, JSONSchemas: recordingSchemas(), OnFault: d.recordingFault,
		OnSample: func(err error) { d.log.Warn("not recorded", "error", err) },
	})
	if err != nil {
		return err
	}
	joints := len(d.description.Joints)
	d.recording = &recording{recorder: recorder, loop: replay.NewWatcher(recorder, d.clock, joints), joints: joints}
	d.out.listen(func(topic *topics.Topic, payload []byte) { recorder.Message(topic.Name, d.clock.Now(), payload) })
	d.log.Info("recording", "folder", dir)
	return nil
}

// recordingFault says when recording fails and when it works again.
func (d *Daemon) recordingFault(err error) {
	reason := "recording works again"
	if err != nil {
		reason = err.Error()
		d.log.Error("recording", "error", err)
		if p := robot.PanicIn(err); p != nil {
			d.broke("recording", p, false)
		}
	}
	d.event(topics.Event{Kind: topics.EventWarning, Reason: reason})
}

// recordingSchemas gives the JSON schema of each topic of a recording.
func recordingSchemas() map[string][]byte {
	all := replay.Schemas()
	for _, topic := range topics.Table() {
		if topic.Payload != nil {
			all[topic.Name] = record.SchemaOf(topic.Payload)
		}
	}
	return all
}

// recordingHeader says what makes the recording. Of the configuration it keeps
// the sections that decide how the robot moves; the others may hold passwords.
func (d *Daemon) recordingHeader() (map[string]string, error) {
	kept := config.Default()
	c := d.config
	kept.Robot, kept.Sim.Seed, kept.Control, kept.Safety, kept.Planner = c.Robot, c.Sim.Seed, c.Control, c.Safety, c.Planner
	kept.Runner, kept.Affordance = c.Runner, c.Affordance
	var settings bytes.Buffer
	if err := kept.Write(&settings); err != nil {
		return nil, err
	}
	description, err := json.Marshal(d.description)
	if err != nil {
		return nil, err
	}
	header := map[string]string{
		replay.HeaderVersion: d.version, replay.HeaderRobot: c.Robot.Name, replay.HeaderConfig: settings.String(),
		replay.HeaderDescription: string(description), replay.HeaderRun: d.clock.Epoch().UTC().Format(time.RFC3339Nano),
	}
	if c.Runner != config.None {
		header[replay.HeaderModel] = c.Planner.Model
	}
	if !config.BuiltInSkills(c.Planner.Catalogue) {
		text, err := os.ReadFile(c.Planner.Catalogue)
		if err != nil {
			return nil, err
		}
		header[replay.HeaderCatalogue] = string(text)
	}
	header[replay.HeaderBinary], err = programSum()
	return header, err
}

// programSum gives the sha256 of the running program.
func programSum() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// around puts the tape between the agent and its world.
func (r *recording) around(b body, clock robot.Clock) (body, robot.Clock) {
	r.tape = replay.NewTape(r.recorder, b, clock, r.joints)
	return r.tape, r.tape
}

// episode runs do and records it.
func (r *recording) episode(ctx context.Context, id, text string, s *robot.Skill, do func(context.Context) agent.Plan) agent.Plan {
	if r == nil {
		return do(ctx)
	}
	return r.tape.Run(ctx, id, text, s, do)
}

// report records what the agent says.
func (r *recording) report(u *agent.Update) {
	if r != nil {
		r.tape.Report(u)
	}
}

// Run writes until ctx ends, and then what was taken until then.
func (r *recording) Run(ctx context.Context) error {
	writing, enough := context.WithCancel(context.WithoutCancel(ctx))
	defer enough()
	var group errgroup.Group
	group.Go(func() error { return robot.Guard(func() error { return r.recorder.Run(writing) }) })
	// Without a panic its error is ctx's own.
	broke := robot.PanicIn(robot.Guard(func() error { return r.loop.Run(ctx) }))
	enough()
	if err := group.Wait(); err != nil || broke == nil {
		return err
	}
	return broke
}
