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
	want := map[[2]int]Mode{
		{int(Off), int(evFault)}: Off, {int(Off), int(evReset)}: Off, {int(Off), int(evMove)}: Held, {int(Off), int(evRest)}: Held,
		{int(Held), int(evReset)}: Held, {int(Held), int(evMove)}: Moving, {int(Held), int(evRest)}: Held,
		{int(Moving), int(evReset)}: Held, {int(Moving), int(evMove)}: Moving, {int(Moving), int(evRest)}: Held,
		{int(Stopped), int(evReset)}: Held, {int(Stopped), int(evFault)}: Stopped, {int(Stopped), int(evRest)}: Stopped,
		{int(Fault), int(evReset)}: Held, {int(Fault), int(evFault)}: Fault, {int(Fault), int(evMove)}: Fault,
	}
	for k, to := range want {
		if got := after(Mode(k[0]), event(k[1])); got != to {
			t.Errorf("after(%v, %d) = %v, want %v", Mode(k[0]), k[1], got, to)
		}
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
