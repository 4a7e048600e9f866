package config

import "time"

// The comments of the fields below are what a user reads in `kuai config` and
// in docs/configuration.md; they speak of keys, not of Go. An indented line in
// one stays as it is.

// Config is the whole file.
type Config struct {
	// What the robot is made of and what moves it.
	Robot Robot `yaml:"robot"`
	// The simulated world: a table, an arm, four blocks and three bowls. Used
	// when robot.driver is sim.
	Sim Sim `yaml:"sim"`
	// What the robot sees. A list in a file replaces this one as a whole. An IP
	// camera needs a name and its url:
	//   - {name: front, url: "rtsp://user:password@10.0.0.7/stream1"}
	Cameras []Camera `yaml:"cameras"`
	// MQTT: the topics under kuai/v1/<name>/ that steer the robot and tell what
	// it does.
	Broker Broker `yaml:"broker"`
	// Who may connect to the broker and to the page.
	Access Access `yaml:"access"`
	// Encryption of the broker and of the page; without it both speak plainly.
	TLS TLS `yaml:"tls"`
	// The page with cameras, plan and stop button.
	Web Web `yaml:"web"`
	// The loop that commands the joints.
	Control Control `yaml:"control"`
	// What the robot may never do. docs/safety.md explains each.
	Safety Safety `yaml:"safety"`
	// What turns an instruction into steps (SayCan, arXiv 2204.01691).
	Planner Planner `yaml:"planner"`
	// What judges whether a skill would succeed now: scripted reads the
	// simulator's state and is not perception; learned is the judge of the learned
	// policy, which sees through the cameras (docs/learning.md); none, where there is
	// no simulator.
	Affordance string `yaml:"affordance"`
	// What carries a skill out: scripted plans the motion from the simulator's
	// state and is not a learned policy; learned is one that sees through the
	// cameras front and wrist (docs/learning.md); with none the robot can only be
	// steered.
	Runner string `yaml:"runner"`
	// The learned policy: auto is the one that kuai comes with, anything else a
	// folder that make train-vla wrote.
	Policy string `yaml:"policy"`
	// How the chunks of motion of the learned policy follow each other: plain takes
	// each as it comes, the control loop blends them; real-time holds what will have
	// passed and fades from the old into the new (arXiv 2506.07339), for a network
	// that takes long.
	Chunking string `yaml:"chunking"`
	// What the robot remembers beyond one plan (docs/planner.md).
	Memory Memory `yaml:"memory"`
	// Hearing and speaking (docs/voice.md). The page's microphone works without
	// any of it, push to talk.
	Voice Voice `yaml:"voice"`
	// Recordings of everything that the robot saw and did.
	Record Record `yaml:"record"`
	// What is written to the terminal.
	Log Log `yaml:"log"`
}

// Robot is the section robot.
type Robot struct {
	// The robot's name in the topics: letters, digits, - and _.
	Name string `yaml:"name"`
	// Joints, limits and shape: so101 is built in, anything else is a YAML file
	// (docs/own-robot.md).
	Description string `yaml:"description"`
	// What moves the joints: sim, mqtt for joints that are MQTT devices, feetech
	// for servos on a Feetech bus, or gobot for servos and motors on Firmata
	// boards and on the pins of a Jetson or Raspberry Pi.
	Driver string `yaml:"driver"`
	// Which joint hangs on which pin, for the driver gobot: a YAML file
	// (docs/own-robot.md).
	Pins string `yaml:"pins"`
	// The servo bus, for the driver feetech.
	Feetech Feetech `yaml:"feetech"`
}

// Feetech is the section robot.feetech.
type Feetech struct {
	// The adapter's device file. A name under /dev/serial/by-id stays the same
	// when other adapters come and go.
	Port string `yaml:"port"`
	// Bits a second; servos leave the factory at 1000000.
	Baud int `yaml:"baud"`
	// How long one answer may take. The control loop waits for it.
	Timeout time.Duration `yaml:"timeout"`
	// The file that kuai calibrate writes: where each joint stands at zero.
	Calibration string `yaml:"calibration"`
	// Which servo moves which joint; none listed: ids 1, 2, 3 … in the order of
	// the description, as an SO-100 or SO-101 has them.
	//   - {name: shoulder_pan, id: 1}
	Joints []ServoJoint `yaml:"joints"`
}

// ServoJoint is one entry of robot.feetech.joints.
type ServoJoint struct {
	// The joint's name in the description.
	Name string `yaml:"name"`
	// The servo's id, 0 to 253.
	ID int `yaml:"id"`
	// How far the joint goes in a turn of the servo, rad or m; 0: 2π.
	PerTurn float64 `yaml:"per_turn"`
	// What the servo exerts at full load, N·m or N; 0: the joint's maximum.
	StallEffort float64 `yaml:"stall_effort"`
}

// Sim is the section sim.
type Sim struct {
	// Where things lie at the start follows from this number.
	Seed uint64 `yaml:"seed"`
	// An instruction that is carried out once after the start; empty: none.
	Demo string `yaml:"demo"`
	// What stands on the table: tabletop has four blocks and three bowls, workbench
	// a drawer, a button, cylinders and more colours besides. kitchen is a household
	// with a robot on wheels, kitchen-large one of more things; they go with
	// robot.description: butler and planner.catalogue: kitchen.
	World string `yaml:"world"`
	// Keep pace with the clock on the wall; false runs as fast as the machine
	// allows.
	Realtime bool `yaml:"realtime"`
	// The pictures of the simulated cameras front and wrist.
	Camera SimCamera `yaml:"camera"`
	// Where the simulated cameras are served, as rtsp://HOST:PORT/NAME.
	RTSP SimRTSP `yaml:"rtsp"`
}

// SimCamera is the section sim.camera.
type SimCamera struct {
	// Pixels.
	Width int `yaml:"width"`
	// Pixels.
	Height int `yaml:"height"`
	// Pictures a second; each costs some milliseconds of a core.
	RateHz float64 `yaml:"rate_hz"`
}

// SimRTSP is the section sim.rtsp.
type SimRTSP struct {
	// HOST:PORT. Change the urls under cameras with it.
	Listen string `yaml:"listen"`
}

// Camera is one entry of cameras.
type Camera struct {
	// What the camera is called on the page and in recordings.
	Name string `yaml:"name"`
	// rtsp://HOST:PORT/PATH (or rtsps://), usb:0 for /dev/video0, or file:PATH
	// for a video file.
	URL string `yaml:"url"`
	// Take the pictures over UDP in place of the TCP connection.
	UDP bool `yaml:"udp"`
	// Ask a USB camera for this mode; 0 leaves the driver's.
	Width int `yaml:"width"`
	// As width.
	Height int `yaml:"height"`
	// As width, pictures a second.
	RateHz float64 `yaml:"rate_hz"`
	// Start a video file again at its end.
	Loop bool `yaml:"loop"`
	// How long the camera may send nothing before it counts as frozen.
	Freeze time.Duration `yaml:"freeze"`
	// How long it may send the very same picture: a real sensor has noise, so a
	// second of it means that the camera hangs. 0s allows it for ever, which
	// simulated cameras need.
	Still time.Duration `yaml:"still"`
}

// Broker is the section broker.
type Broker struct {
	// HOST:PORT of the broker inside kuai. An address that other machines reach
	// needs users under access.
	Listen string `yaml:"listen"`
	// Another broker in place of the one inside kuai: tcp://HOST:1883,
	// ssl://HOST:8883, ws:// or wss://; empty: the one inside.
	URL string `yaml:"url"`
	// What kuai says to that broker.
	Username string `yaml:"username"`
	// Better in a file of its own: see password_file.
	Password string `yaml:"password"`
	// A file that holds the password and nothing else.
	PasswordFile string `yaml:"password_file"`
	// A PEM file of authorities that vouch for that broker, beyond the system's.
	CA string `yaml:"ca"`
	// kuai's own certificate towards that broker, PEM.
	Certificate string `yaml:"certificate"`
	// The key of that certificate, PEM.
	Key string `yaml:"key"`
}

// Access is the section access.
type Access struct {
	// Nobody listed: everybody on this machine may do everything, and nobody
	// else can connect. Roles: view sees everything and may stop the robot;
	// operate also instructs, resets, runs skills and steers; configure may do
	// everything. A certificate is the common name of a client certificate
	// (tls.client_ca) that stands for the user in place of a password.
	//   - {name: ann, password_file: ann.secret, role: operate}
	//   - {name: wall-screen, certificate: screen-1, role: view}
	Users []User `yaml:"users"`
}

// User is one entry of access.users.
type User struct {
	// The name that the user gives.
	Name string `yaml:"name"`
	// Better in a file of its own: see password_file.
	Password string `yaml:"password"`
	// A file that holds the password and nothing else.
	PasswordFile string `yaml:"password_file"`
	// The common name of the client certificate that is this user.
	Certificate string `yaml:"certificate"`
	// view, operate or configure.
	Role string `yaml:"role"`
}

// TLS is the section tls.
type TLS struct {
	// The certificate of the broker and of the page, PEM.
	Certificate string `yaml:"certificate"`
	// Its key, PEM.
	Key string `yaml:"key"`
	// A PEM file of authorities whose client certificates are believed.
	ClientCA string `yaml:"client_ca"`
}

// Web is the section web.
type Web struct {
	// HOST:PORT of the page; empty: no page. An address that other machines
	// reach needs users under access.
	Listen string `yaml:"listen"`
	// Further names under which browsers reach the page, such as robot.local. A
	// request under any other name is refused, which keeps foreign web sites
	// from reaching the robot through a visitor's browser.
	Hosts []string `yaml:"hosts"`
}

// Control is the section control.
type Control struct {
	// How often the joints are commanded, times a second.
	RateHz float64 `yaml:"rate_hz"`
}

// Safety is the section safety: the fields of actuation/safety.Config.
type Safety struct {
	// Motion that the planner chose.
	Policy Rule `yaml:"policy"`
	// Motion of a skill that a person asked for by name.
	Skill Rule `yaml:"skill"`
	// Motion that a person steers.
	Teleop Rule `yaml:"teleop"`
	// The joints may not have been read longer ago than this.
	MaxStateAge time.Duration `yaml:"max_state_age"`
	// After a longer pause of the control loop motion starts again from rest.
	MaxTick time.Duration `yaml:"max_tick"`
	// How long after a reset full speed is reached.
	Ramp time.Duration `yaml:"ramp"`
	// The share of full speed that the ramp starts from.
	RampFloor float64 `yaml:"ramp_floor"`
	// The share of its range by which a joint may lie outside its limits and
	// still come back by itself.
	Recovery float64 `yaml:"recovery"`
	// How far below its highest temperature a joint slows down, °C.
	DerateBand float64 `yaml:"derate_band"`
	// How far above it the torque is cut, °C.
	ReleaseAbove float64 `yaml:"release_above"`
	// A joint is stalled when its effort is at least this share of the highest,
	StallEffort float64 `yaml:"stall_effort"`
	// its speed at most this share of the highest,
	StallVelocity float64 `yaml:"stall_velocity"`
	// for this long.
	StallTime time.Duration `yaml:"stall_time"`
	// How long a stalled joint gives way.
	BackOff time.Duration `yaml:"back_off"`
	// The torque is cut when a joint stalls more often than this
	StallTries int `yaml:"stall_tries"`
	// with less than this between.
	StallForget time.Duration `yaml:"stall_forget"`
	// The least distance between two parts of the robot, and to the sides of
	// its workspace, m.
	Clearance float64 `yaml:"clearance"`
	// Let the joints go limp on a stop in place of holding them.
	StopLimp bool `yaml:"stop_limp"`
}

// Rule is a section of safety for one source of motion.
type Rule struct {
	// How long after its newest message the source counts as live.
	Expiry time.Duration `yaml:"expiry"`
	// How old the observation may be that a motion was computed from.
	MaxAge time.Duration `yaml:"max_age"`
	// The share of each joint's highest speed that the source may use.
	Speed float64 `yaml:"speed"`
}

// Planner is the section planner.
type Planner struct {
	// The language model, a name of `kuai models list`.
	Model string `yaml:"model"`
	// What computes it: cpu, cuda (a GPU; the processor where there is none), or ref
	// (plain and slow, to compare with).
	Backend string `yaml:"backend"`
	// Threads that compute it; 0: one for each core.
	Threads int `yaml:"threads"`
	// What was trained to plan with it: auto is the built-in LoRA adapter where
	// model and catalogue are those that it was trained for; none plans from
	// worked examples; anything else is a folder with a LoRA, a prefix or a
	// bottleneck adapter (docs/models.md).
	Adapter string `yaml:"adapter"`
	// What the robot can be told to do: tabletop is built in, anything else is
	// a YAML file.
	Catalogue string `yaml:"catalogue"`
	// An instruction is given up after so many steps,
	MaxSteps int `yaml:"max_steps"`
	// or so many seconds.
	MaxSeconds float64 `yaml:"max_seconds"`
	// How often a failed step is tried again.
	Retries int `yaml:"retries"`
	// How many of the best candidates the plan shows at each step.
	Candidates int `yaml:"candidates"`
	// How the robot introduces itself when it is asked who it is.
	Persona string `yaml:"persona"`
	// A bigger model elsewhere that is asked first (docs/planner.md).
	Remote Remote `yaml:"remote"`
}

// Remote is the section planner.remote.
type Remote struct {
	// Where it answers, such as http://127.0.0.1:8081/v1: the address before
	// /chat/completions of what speaks as OpenAI's interface does (llama.cpp's
	// server, vLLM, …). Empty: none is asked.
	URL string `yaml:"url"`
	// What it is called there.
	Model string `yaml:"model"`
	// A file with the key that it wants; empty: none, or what the environment
	// variable KUAI_PLANNER_KEY holds.
	KeyFile string `yaml:"key_file"`
	// How long a decision may take there; then the robot's own model decides.
	Timeout time.Duration `yaml:"timeout"`
	// Send the options as a grammar that the model is held to: llama.cpp's servers
	// take one, others refuse it.
	Grammar bool `yaml:"grammar"`
}

// Memory is the section memory.
type Memory struct {
	// Remember what people say that they like, and where things were. Off: nothing
	// is kept.
	On bool `yaml:"on"`
	// The file that holds it, sealed; empty: memory, where kuai keeps its data.
	File string `yaml:"file"`
	// The file with the key that opens it, made when it is missing; empty: memory.key
	// beside it.
	KeyFile string `yaml:"key_file"`
}

// Voice is the section voice.
type Voice struct {
	// Understand speech at all: from the page, and from the microphones below.
	On bool `yaml:"on"`
	// Where people speak to the robot. This machine's microphone is
	//   - {name: table, url: "device:default"}
	Microphones []Microphone `yaml:"microphones"`
	// When microphones are listened to: always; wake, after one of the words of
	// wake_words; or push, while somebody holds a button (the topic talk). The
	// page's own button is push in any case. A stop word is always heard.
	Listen string `yaml:"listen"`
	// What the robot is called by, for listen: wake.
	WakeWords []string `yaml:"wake_words"`
	// What stops the robot at once, whatever else is said: of stop, halt, freeze,
	// 停, 停下, 停止 and 别动. 停 by itself is often heard where it was not said. An
	// empty list leaves stopping to other means.
	StopWords []string `yaml:"stop_words"`
	// What stops the robot as well, when it is all that is said: phrases of any
	// words. They are read in the text of the speech model, about half a second
	// later than a stop word; the robot brakes meanwhile.
	StopPhrases []string `yaml:"stop_phrases"`
	// How sure the detector must be of a stop word, 0 to 1, while no speech model
	// gives a second opinion. False stops are better than missed ones.
	StopScore float64 `yaml:"stop_score"`
	// Which sounds are told on the topic event when they begin: of clap, knock,
	// glass, beep, alarm and ring. It needs the model all-minilm-l6-v2.
	Sounds []string `yaml:"sounds"`
	// What is spoken: en, zh, de, …
	Language string `yaml:"language"`
	// The speech model, a name of `kuai models list` or a folder.
	Model string `yaml:"model"`
	// What computes it: cpu, or cuda (a GPU; the processor where there is none). What
	// hears voices and stop words is the processor's in any case.
	Backend string `yaml:"backend"`
	// Threads that compute it; 0: one for each core.
	Threads int `yaml:"threads"`
	// From this confidence on a command is carried out,
	Sure float64 `yaml:"sure"`
	// from this on the robot asks back what it heard; below it is not understood.
	Unsure float64 `yaml:"unsure"`
	// How much more probable words that commands are made of become, in nats; 0
	// expects nothing.
	Expect float64 `yaml:"expect"`
	// A command ends with so much silence,
	Silence time.Duration `yaml:"silence"`
	// or this much, when it is whole as it is.
	Early time.Duration `yaml:"early"`
	// It is cut when it is longer.
	Longest time.Duration `yaml:"longest"`
	// What a command does to one that is being carried out: replace it, or queue
	// behind it.
	Commands string `yaml:"commands"`
	// Where the robot answers: none, device:default or device:NAME for a
	// loudspeaker of this machine, or sim for that of the simulated room.
	Speaker string `yaml:"speaker"`
	// The voice of its answers, one of espeak-ng --voices; none: tones alone.
	SpeakerVoice string `yaml:"speaker_voice"`
}

// Microphone is one entry of voice.microphones.
type Microphone struct {
	// What the microphone is called on the page and in recordings.
	Name string `yaml:"name"`
	// device:default, device:NAME (a part of what kuai listen --devices shows),
	// rtsp://HOST:PORT/PATH, file:PATH for a sound file, or sim for that of the
	// simulated room.
	URL string `yaml:"url"`
	// Take the sound over UDP in place of the TCP connection.
	UDP bool `yaml:"udp"`
	// Start a sound file again at its end.
	Loop bool `yaml:"loop"`
}

// Record is the section record.
type Record struct {
	// Write MCAP files, which Foxglove opens.
	On bool `yaml:"on"`
	// Where to; empty: $XDG_DATA_HOME/kuai/recordings, else
	// ~/.local/share/kuai/recordings.
	Folder string `yaml:"folder"`
	// The oldest recordings are removed beyond this, GB.
	BudgetGB float64 `yaml:"budget_gb"`
}

// Log is the section log.
type Log struct {
	// debug, info, warn or error.
	Level string `yaml:"level"`
	// text, or json with one object a line.
	Format string `yaml:"format"`
}
