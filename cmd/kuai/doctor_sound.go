package main

import (
	"context"
	"net"
	"net/url"
	"os/exec"
	"strings"

	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/perception/microphone"
)

// lookSound looks at what the robot hears and speaks with.
func lookSound(ctx context.Context, c *config.Config) []finding {
	if !c.Voice.On {
		return []finding{{"voice", good, "switched off (voice.on is false)", ""}}
	}
	all := []finding{lookDevices(len(c.Voice.Microphones) > 0)}
	for _, m := range c.Voice.Microphones {
		f := finding{"microphone " + m.Name, good, m.URL, ""}
		u, err := url.Parse(m.URL)
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
				f.Mend = "switch it on, or correct its url under voice.microphones"
			}
		case "file":
			f = lookFile(f, first(u.Opaque, u.Path), "correct its url under voice.microphones")
		}
		all = append(all, f)
	}
	if c.Voice.Speaker != config.None && c.Voice.SpeakerVoice != config.None {
		f := finding{"speech", good, "espeak-ng speaks the answers", ""}
		if _, err := exec.LookPath("espeak-ng"); err != nil {
			f = finding{"speech", warning, "espeak-ng is not installed: the robot answers by tones", "sudo apt-get install espeak-ng"}
		}
		all = append(all, f)
	}
	return all
}

// lookDevices lists the microphones of this machine; that there is none matters
// only to whoever asks for one.
func lookDevices(needed bool) finding {
	f := finding{"microphones", good, "", ""}
	devices, err := microphone.Devices()
	switch {
	case err != nil:
		f.Detail = "this machine has no sound system"
	case len(devices) == 0:
		f.Detail = "this machine has no microphone"
	default:
		names := make([]string, len(devices))
		for i, d := range devices {
			names[i] = d.Name
		}
		f.Detail = strings.Join(names, ", ")
		return f
	}
	if needed {
		f.Level, f.Mend = warning, "plug one in, or see whether you are in the group audio (sudo usermod -aG audio $USER, then log in again)"
	} else {
		f.Detail += " (the page's works without)"
	}
	return f
}
