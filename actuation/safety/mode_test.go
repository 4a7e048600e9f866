package safety

import "testing"

func TestTransitions(t *testing.T) {
	for m := Off; m < modes; m++ {
		for e := event(0); e < events; e++ {
			to := after(m, e)
			switch {
			case e == evStop && to != Stopped:
				t.Errorf("%v: a stop leads to %v", m, to)
			case m.latched() && e != evReset && !to.latched():
				t.Errorf("%v: event %d leads to %v without a reset", m, e, to)
			case to == Moving && (m == Off || m.latched() || e != evMove):
				t.Errorf("%v: event %d leads to moving", m, e)
			case e == evFault && to != Fault && m != Off && m != Stopped:
				t.Errorf("%v: a fault leads to %v", m, to)
			case e == evRelease && !m.latched() && to != Off:
				t.Errorf("%v: a release leads to %v", m, to)
			case e == evReset && to == Moving:
				t.Errorf("%v: a reset leads to moving", m)
			}
		}
	}
	want := [modes][events]Mode{ // stop, fault, reset, release, move, rest
		Off:     {Stopped, Off, Off, Off, Held, Held},
		Held:    {Stopped, Fault, Held, Off, Moving, Held},
		Moving:  {Stopped, Fault, Held, Off, Moving, Held},
		Stopped: {Stopped, Stopped, Held, Stopped, Stopped, Stopped},
		Fault:   {Stopped, Fault, Held, Fault, Fault, Fault},
	}
	if transitions != want {
		t.Errorf("the table is %v, want %v", transitions, want)
	}
	if got := after(modes, evReset); got != Stopped {
		t.Errorf("a mode that is not in the table becomes %v after a reset, want stopped", got)
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for m := Off; m < modes; m++ {
		if seen[m.String()] || m.String() == "" || m.String() == modes.String() {
			t.Errorf("mode %d is called %q", m, m)
		}
		seen[m.String()] = true
	}
	for c := OK; c < codes; c++ {
		if seen[c.String()] || c.String() == "" || c.String() == codes.String() {
			t.Errorf("code %d is called %q", c, c)
		}
		seen[c.String()] = true
	}
	if modes.String() != "unknown" || codes.String() != "unknown reason" {
		t.Errorf("unknown ones are called %q and %q", modes, codes)
	}
}
