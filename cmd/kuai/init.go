package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/daemon"
	"github.com/kuai-robot/kuai/robot"
)

// initFlags are answers that were given beforehand.
type initFlags struct {
	yes, force                              bool
	name, driver, port, description, record string
	cameras                                 []string
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	c := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a robot.yaml by asking what is attached",
		Long: "Looks for servo buses, boards, cameras and microphones, asks which of them make up the robot, and\n" +
			"writes a configuration in which every key is explained (robot.yaml, unless FILE is given). Without\n" +
			"hardware it is the simulated arm. Flags answer beforehand; --yes takes what is proposed for the rest\n" +
			"and asks nothing. A file that is there is not touched without --force.",
		Example: "  kuai init\n  kuai init --yes\n  kuai init arm.yaml --driver feetech --port /dev/ttyACM0 --camera front=usb:0 --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.init(c.Context(), first(strings.Join(args, ""), "robot.yaml"), f)
		},
	}
	flags := c.Flags()
	flags.BoolVarP(&f.yes, "yes", "y", false, "take what is proposed and ask nothing")
	flags.BoolVar(&f.force, "force", false, "write over files that are there")
	flags.StringVar(&f.name, "name", "", "what the robot is called in the topics: `NAME`")
	flags.StringVar(&f.driver, "driver", "", "what moves the joints, `DRIVER`: "+strings.Join(drivers, ", "))
	flags.StringVar(&f.port, "port", "", "the servo bus or board: `DEVICE`")
	flags.StringVar(&f.description, "description", "", "the robot's description: so101 or `FILE`")
	flags.StringArrayVar(&f.cameras, "camera", nil, "a camera, `NAME=URL` (rtsp://…, usb:0); none: --camera none")
	flags.StringVar(&f.record, "record", "", "record everything into this `FOLDER`")
	c.RegisterFlagCompletionFunc("driver", cobra.FixedCompletions(drivers, cobra.ShellCompDirectiveNoFileComp))
	return c
}

var (
	drivers       = []string{config.DriverSim, config.DriverFeetech, config.DriverGobot, config.DriverMQTT}
	driverMeaning = []string{
		"nothing yet: simulate an arm on a table",
		"a servo arm on a Feetech bus (SO-100, SO-101, LeKiwi)",
		"servos or motors on an Arduino with Firmata, or on this computer's pins",
		"joints that are MQTT devices",
	}
)

// initiation is one run of kuai init.
type initiation struct {
	*app
	ask   *asker
	flags initFlags
	found attached
	c     config.Config
	// more are files that the configuration names and that are written with it.
	more map[string][]byte
	next []string
}

func (a *app) init(ctx context.Context, path string, f initFlags) error {
	questions := a.out
	if a.json {
		questions = a.errors // standard output is for the object
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	i := &initiation{
		app: a, flags: f, found: lookAround(a.machine()), c: config.Default(), more: map[string][]byte{},
		ask: newAsker(ctx, a.in, questions, f.yes),
	}
	if err := free(path, f.force); err != nil {
		return err
	}
	i.tellFound(questions)
	for _, question := range []func(context.Context, string) error{i.body, i.named, i.cameras, i.recording} {
		if err := question(ctx, path); err != nil {
			return err
		}
	}
	return i.write(path)
}

// machine gives the root file system, in which a test puts devices.
func (a *app) machine() fs.FS { return os.DirFS(first(a.env("KUAI_MACHINE"), "/")) }

// free refuses to write over a file.
func free(path string, force bool) error {
	if _, err := os.Lstat(path); err == nil && !force {
		return exitf(exitInput, "%s is there already: give another name, or --force to write over it", path)
	}
	return nil
}

func (i *initiation) tellFound(out *terminal) {
	if i.flags.yes {
		return
	}
	out.line("On this machine:")
	none := "none"
	list := func(what string, names []string) {
		out.line("  %-16s %s", what, first(strings.Join(names, ", "), none))
	}
	list("serial ports", i.found.Serial)
	list("cameras", names(i.found.Cameras))
	list("microphones", names(i.found.Microphones))
	if i.found.Board != "" {
		list("computer", []string{i.found.Board})
	}
	out.line("")
}

func names(devices []device) (all []string) {
	for _, d := range devices {
		all = append(all, d.Path+" ("+d.Name+")")
	}
	return all
}

// body asks what moves the joints.
func (i *initiation) body(ctx context.Context, path string) (err error) {
	if i.c.Robot.Driver, err = i.driver(ctx); err != nil {
		return err
	}
	switch i.c.Robot.Driver {
	case config.DriverSim:
		i.next = append(i.next, "kuai run --config "+path)
		return nil
	case config.DriverFeetech:
		i.c.Robot.Feetech.Calibration = "calibration.yaml"
		i.c.Robot.Feetech.Port, err = i.port(ctx, i.c.Robot.Feetech.Port, func(port string) bool { return !firmata(port) })
		i.next = append(i.next, "kuai calibrate --config "+path)
	}
	// The scripted skills and judgements read the simulator's state.
	i.c.Runner, i.c.Affordance, i.c.Sim.Demo = config.None, config.None, ""
	if err == nil {
		err = i.description(ctx, path)
	}
	if err == nil && i.c.Robot.Driver == config.DriverGobot {
		err = i.pins(ctx, path)
	}
	i.next = append(i.next, "kuai doctor --config "+path, "kuai run --config "+path)
	return err
}

func (i *initiation) driver(ctx context.Context) (string, error) {
	if i.flags.driver != "" {
		return i.flags.driver, nil // checked with the rest
	}
	proposed := 0
	for _, port := range i.found.Serial {
		if proposed = 1; firmata(port) {
			proposed = 2
		}
	}
	n, err := i.ask.choose(ctx, "What moves the joints?", driverMeaning, proposed)
	if err != nil {
		return "", err
	}
	return drivers[n], nil
}

// port asks which serial port it is; likely says of one whether to propose it.
func (i *initiation) port(ctx context.Context, usual string, likely func(string) bool) (string, error) {
	if i.flags.port != "" {
		return i.flags.port, nil
	}
	proposed := usual
	for k := len(i.found.Serial) - 1; k >= 0; k-- {
		if likely(i.found.Serial[k]) {
			proposed = i.found.Serial[k]
		}
	}
	return i.ask.text(ctx, "Which port?", proposed, func(port string) error {
		if port == "" {
			return errors.New("name a device, such as /dev/ttyACM0")
		}
		return nil
	})
}

// description asks for the arm's description.
func (i *initiation) description(ctx context.Context, path string) error {
	check := func(name string) error {
		if name == config.BuiltInRobot {
			return nil
		}
		_, err := config.LoadDescription(beside(path, name))
		return err
	}
	if i.flags.description != "" {
		i.c.Robot.Description = i.flags.description
		return check(i.flags.description)
	}
	answer, err := i.ask.text(ctx, "Which arm? so101, or the file of a description (docs/own-robot.md)", config.BuiltInRobot, check)
	i.c.Robot.Description = answer
	return err
}

// beside gives what the name of a file means in the configuration at path.
func beside(path, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(path), name)
}

// pins writes which joint hangs on which pin, to be corrected.
func (i *initiation) pins(ctx context.Context, path string) error {
	adaptor, port := "firmata", ""
	switch {
	case strings.Contains(i.found.Board, "Jetson") && i.flags.port == "" && len(i.found.Serial) == 0:
		adaptor = "jetson"
	case strings.Contains(i.found.Board, "Raspberry Pi") && i.flags.port == "" && len(i.found.Serial) == 0:
		adaptor = "raspi"
	default:
		var err error
		if port, err = i.port(ctx, "/dev/ttyACM0", firmata); err != nil {
			return err
		}
	}
	c := i.c
	if c.Robot.Description != config.BuiltInRobot {
		c.Robot.Description = beside(path, c.Robot.Description)
	}
	description, err := daemon.Description(&c)
	if err != nil {
		return err
	}
	i.c.Robot.Pins = "pins.yaml"
	i.more[i.c.Robot.Pins] = pinsFile(description, adaptor, port)
	i.next = append([]string{"correct the pins in pins.yaml"}, i.next...)
	return nil
}

// pwmPins are those of an Arduino Uno that a servo can hang on, and of the
// headers of other boards the ones that their adaptors take.
var pwmPins = map[string][]string{
	"firmata": {"3", "5", "6", "9", "10", "11", "12", "13"},
	"jetson":  {"32", "33"},
	"raspi":   {"12", "32", "33", "35"},
}

func pinsFile(d *robot.Description, adaptor, port string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Which joint hangs on which pin: correct the pins, and the pulses where a servo's\n# are not 544 to 2400 us over the joint's limits (docs/own-robot.md).\nboards:\n  - {name: board, adaptor: %s", adaptor)
	if port != "" {
		fmt.Fprintf(&out, ", port: %q", port)
	}
	fmt.Fprint(&out, "}\njoints:\n")
	for i, j := range d.Joints {
		pins := pwmPins[adaptor]
		kind := "servo"
		if j.Kind == robot.Wheel {
			kind = "motor, direction_pin: \"4\""
		}
		fmt.Fprintf(&out, "  - {name: %s, kind: %s, pin: %q}\n", j.Name, kind, pins[i%len(pins)])
	}
	return out.Bytes()
}

// named asks for the robot's name.
func (i *initiation) named(ctx context.Context, _ string) (err error) {
	if i.flags.name != "" {
		i.c.Robot.Name = i.flags.name
		return nil
	}
	i.c.Robot.Name, err = i.ask.text(ctx, "What is the robot called?", i.c.Robot.Name, func(name string) error {
		c := config.Default()
		c.Robot.Name = name
		return c.Validate()
	})
	return err
}

// cameras asks what the robot sees with.
func (i *initiation) cameras(ctx context.Context, _ string) error {
	if len(i.flags.cameras) > 0 {
		return i.namedCameras()
	}
	if i.c.Robot.Driver == config.DriverSim {
		return nil // the simulated ones
	}
	i.c.Cameras = []config.Camera{}
	for k, d := range i.found.Cameras {
		take, err := i.ask.confirm(ctx, fmt.Sprintf("Use the camera %s (%s)?", d.Path, d.Name), true)
		if err != nil {
			return err
		}
		if take {
			i.addCamera([]string{"front", "wrist", "side"}[k%3]+strings.Repeat("2", k/3), "usb:"+strings.TrimPrefix(d.Path, "/dev/video"))
		}
	}
	for !i.flags.yes {
		url, err := i.ask.text(ctx, "The URL of an IP camera, rtsp://…; Enter for none", "", func(url string) error {
			c := config.Default()
			if url != "" {
				c.Cameras = []config.Camera{realCamera("ip", url)}
			}
			return c.Validate()
		})
		if err != nil || url == "" {
			return err
		}
		i.addCamera(fmt.Sprintf("camera%d", len(i.c.Cameras)+1), url)
	}
	return nil
}

func (i *initiation) namedCameras() error {
	i.c.Cameras = []config.Camera{}
	for _, given := range i.flags.cameras {
		if given == config.None {
			continue
		}
		name, url, ok := strings.Cut(given, "=")
		if !ok {
			return exitf(exitInput, "--camera %q: want NAME=URL, such as front=usb:0", shorten(given, 60))
		}
		i.addCamera(name, url)
	}
	return nil
}

func (i *initiation) addCamera(name, url string) {
	i.c.Cameras = append(i.c.Cameras, realCamera(name, url))
}

// realCamera is no simulated one: a picture that never changes means that it hangs.
func realCamera(name, url string) config.Camera {
	c := config.Camera{Name: name, URL: url, Freeze: 2 * time.Second, Still: time.Second}
	if strings.HasPrefix(url, "usb:") {
		c.Width, c.Height, c.RateHz = 640, 480, 30
	}
	return c
}

// recording asks whether to keep what happens.
func (i *initiation) recording(ctx context.Context, _ string) error {
	if i.flags.record != "" {
		i.c.Record.On, i.c.Record.Folder = true, i.flags.record
		return nil
	}
	on, err := i.ask.confirm(ctx, "Record everything that happens, in the folder recordings (at most 20 GB)?", false)
	if err == nil && on {
		i.c.Record.On, i.c.Record.Folder = true, "recordings"
	}
	return err
}

// write writes the files, or none.
func (i *initiation) write(path string) error {
	if err := i.c.Validate(); err != nil {
		return &exitError{exitInput, err}
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "# %s, written by kuai init. Keys that are not here keep their default:\n# kuai config --config %s prints all of them. docs/configuration.md explains each.\n\n", i.c.Robot.Name, filepath.Base(path))
	if err := i.c.WriteChanged(&text, "robot.name", "robot.description", "robot.driver", "record.on", "web.listen", "broker.listen"); err != nil {
		return err
	}
	files := map[string][]byte{path: text.Bytes()}
	for name, data := range i.more {
		files[filepath.Join(filepath.Dir(path), name)] = data
	}
	for name := range files {
		if err := free(name, i.flags.force); err != nil {
			return err
		}
	}
	for name, data := range files {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return fmt.Errorf("%w (choose a folder that can be written to: kuai init FOLDER/robot.yaml)", err)
		}
	}
	if _, err := config.Load(path); err != nil {
		return err
	}
	return i.done(path)
}

func (i *initiation) done(path string) error {
	if i.json {
		return i.printJSON(map[string]any{"file": path, "found": i.found, "next": i.next})
	}
	i.out.line("%s", i.out.green(path+" is written."))
	if len(i.found.Microphones) > 0 {
		i.out.line("To talk to the robot through %s, see docs/voice.md.", i.found.Microphones[0].Name)
	}
	i.out.line("Next:")
	for _, step := range i.next {
		i.out.line("  %s", i.out.bold(step))
	}
	return nil
}
