package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kuai-robot/kuai/internal/config"
)

// finding is one thing that was looked at.
type finding struct {
	What   string `json:"what"`
	Level  string `json:"level"` // good, warning or bad
	Detail string `json:"detail"`
	// Mend is the command or the change that mends it.
	Mend string `json:"mend,omitempty"`
}

const (
	good    = "good"
	warning = "warning"
	bad     = "bad"
)

// probeWithin bounds each attempt to reach something.
const probeWithin = 2 * time.Second

func (a *app) doctorCommand() *cobra.Command {
	return a.addLinkFlags(&cobra.Command{
		Use:   "doctor",
		Short: "Look at what is installed, reachable and missing, and say what mends it",
		Long: "Looks at this machine (processor, memory, disk, libraries), at the models, and at everything that\n" +
			"the configuration names (broker, page, cameras). The exit status is 0 when nothing is bad; a\n" +
			"warning is something that kuai can do without.",
		Example: "  kuai doctor\n  kuai doctor --config robot.yaml --json",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return a.doctor(c.Context()) },
	})
}

func (a *app) doctor(ctx context.Context) error {
	failed := 0
	say := func(f finding) error {
		if f.Level == bad {
			failed++
		}
		if a.json {
			return a.printJSON(f)
		}
		mark := map[string]string{good: a.out.green("good   "), warning: a.out.yellow("warning"), bad: a.out.red("bad    ")}[f.Level]
		a.out.line("%s  %-14s %s", mark, f.What, f.Detail)
		if f.Mend != "" {
			a.out.line("%s  %-14s %s", "       ", "", a.out.bold("→ "+f.Mend))
		}
		return nil
	}
	for _, look := range a.looks() {
		for _, f := range look(ctx) {
			if err := say(f); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d things need mending", failed)
	}
	return nil
}

// looks lists what is looked at. A configuration that cannot be read leaves
// the machine alone to look at.
func (a *app) looks() []func(context.Context) []finding {
	c, err := config.Load(a.configPath)
	configuration := func(context.Context) []finding {
		if err != nil {
			return []finding{{"configuration", bad, err.Error(), "kuai config shows what a configuration looks like"}}
		}
		return []finding{{"configuration", good, first(a.configPath, "built in"), ""}}
	}
	all := []func(context.Context) []finding{lookProgram, lookProcessor, lookMemory, lookLibraries, configuration}
	if err != nil {
		return all
	}
	return append(all,
		func(context.Context) []finding { return lookModels(&c) },
		func(context.Context) []finding { return lookDisk(&c) },
		func(ctx context.Context) []finding { return a.lookBroker(ctx) },
		func(ctx context.Context) []finding { return lookPage(ctx, &c) },
		func(ctx context.Context) []finding { return lookCameras(ctx, &c) },
		func(ctx context.Context) []finding { return lookSound(ctx, &c) },
		func(context.Context) []finding { return lookServos(&c) },
	)
}

// lookBroker looks at the broker and at the robot behind it.
func (a *app) lookBroker(ctx context.Context) []finding {
	o, err := a.linkOptions()
	if err != nil {
		return []finding{{"broker", bad, err.Error(), ""}}
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return []finding{{"broker", bad, "the URL cannot be read", "--broker tcp://HOST:1883"}}
	}
	if err := probe(ctx, u.Host); err != nil {
		return []finding{{"broker", warning, o.URL + ": " + reason(err), "kuai run"}}
	}
	s, err := a.askStatus(ctx)
	if err != nil {
		return []finding{
			{"broker", good, o.URL + " answers", ""},
			{"robot", warning, reason(err), "kuai run (or, if another program has the port: set broker.listen to a free one)"},
		}
	}
	f := finding{"robot", good, fmt.Sprintf("%s is %s, %s", s.Health.Robot, s.Health.Status, s.State.Mode), ""}
	if len(s.Health.Reasons) > 0 {
		f.Level, f.Detail = warning, f.Detail+": "+strings.Join(s.Health.Reasons, "; ")
	}
	if s.State.Mode == "stopped" || s.State.Mode == "fault" {
		f.Level, f.Mend = warning, "kuai reset"
	}
	return []finding{{"broker", good, o.URL + " answers", ""}, f}
}

func lookPage(ctx context.Context, c *config.Config) []finding {
	if c.Web.Listen == "" {
		return []finding{{"page", good, "switched off (web.listen is empty)", ""}}
	}
	scheme := "http"
	if c.TLS.Certificate != "" {
		scheme = "https"
	}
	address := scheme + "://" + reachable(c.Web.Listen)
	if err := probe(ctx, reachable(c.Web.Listen)); err != nil {
		return []finding{{"page", warning, address + ": " + reason(err), "kuai run"}}
	}
	if scheme == "https" {
		return []finding{{"page", good, address + " answers", ""}}
	}
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz", nil)
	if err != nil {
		return []finding{{"page", bad, err.Error(), ""}}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return []finding{{"page", bad, address + ": " + reason(err), "set web.listen to a free port: another program has this one"}}
	}
	response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return []finding{{"page", good, address + " answers", ""}}
	case http.StatusServiceUnavailable:
		return []finding{{"page", warning, address + " answers, but the robot is not ready yet", "kuai status"}}
	}
	return []finding{{"page", bad, address + ": " + response.Status, "set web.listen to a free port: another program has this one"}}
}

func lookCameras(ctx context.Context, c *config.Config) []finding {
	var all []finding
	for _, camera := range c.Cameras {
		f := finding{"camera " + camera.Name, good, "", ""}
		u, err := url.Parse(camera.URL)
		if err != nil {
			continue // the configuration has been checked
		}
		switch u.Scheme {
		case "rtsp", "rtsps":
			host := u.Host
			if u.Port() == "" {
				host = net.JoinHostPort(u.Hostname(), "554")
			}
			f.Detail = u.Scheme + "://" + host + u.Path + " is reachable"
			if err := probe(ctx, host); err != nil {
				f.Level, f.Detail = warning, u.Scheme+"://"+host+u.Path+": "+reason(err)
				f.Mend = "switch the camera on, or correct its url under cameras"
				if c.Robot.Driver == config.DriverSim && host == reachable(c.Sim.RTSP.Listen) {
					f.Mend = "kuai run serves it"
				}
			}
		case "usb":
			f = lookFile(f, "/dev/video"+u.Opaque, "plug the camera in (ls /dev/video* shows what is there)")
		case "file":
			f = lookFile(f, first(u.Opaque, u.Path), "correct its url under cameras")
		}
		all = append(all, f)
	}
	return all
}

// lookServos looks whether a servo bus could be opened, without disturbing it.
func lookServos(c *config.Config) []finding {
	if c.Robot.Driver != config.DriverFeetech {
		return nil
	}
	bus := lookFile(finding{"servo bus", good, "", ""}, c.Robot.Feetech.Port, "plug the adapter in (ls /dev/serial/by-id shows what is there)")
	switch {
	case strings.Contains(bus.Mend, "usermod"):
		bus.Mend = "sudo usermod -aG dialout $USER, then log in again"
	case strings.Contains(bus.Detail, "busy"):
		bus = finding{"servo bus", good, c.Robot.Feetech.Port + " is in use, by kuai run if it runs", ""}
	}
	return []finding{bus, lookFile(finding{"calibration", good, "", ""}, c.Robot.Feetech.Calibration, "kuai calibrate")}
}

func lookFile(f finding, path, mend string) finding {
	file, err := os.Open(path)
	if err != nil {
		f.Level, f.Detail, f.Mend = bad, err.Error(), mend
		if os.IsPermission(err) {
			f.Mend = "sudo usermod -aG video $USER, then log in again"
		}
		return f
	}
	file.Close()
	f.Detail = path + " is there"
	return f
}

// probe opens a connection and closes it.
func probe(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: probeWithin}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// reason gives the end of a network error, which is what a person can use.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "connect: "); i >= 0 {
		return text[i+len("connect: "):]
	}
	return text
}
