package broker_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
)

func TestListeningBeyondLoopbackNeedsAccess(t *testing.T) {
	closed, err := broker.NewAccess([]broker.User{{Name: "a", Password: "b", Role: broker.View}})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"0.0.0.0:1883", ":1883", "[::]:1883", "192.168.1.5:1883", "robot.local:1883"} {
		var open *broker.Access
		err := open.CheckListen("broker", "broker.listen", address)
		if err == nil || !strings.Contains(err.Error(), "access:\n") {
			t.Errorf("%s: error %v, want a refusal with the lines to add", address, err)
		}
		if err := closed.CheckListen("broker", "broker.listen", address); err != nil {
			t.Errorf("%s with access control: %v", address, err)
		}
	}
	for _, address := range []string{"127.0.0.1:1", "[::1]:1", "localhost:1", "127.8.8.8:1"} {
		var open *broker.Access
		if err := open.CheckListen("broker", "broker.listen", address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAccessRefusesNonsense(t *testing.T) {
	for want, users := range map[string][]broker.User{
		"no name":         {{Password: "x", Role: broker.View}},
		"twice":           {{Name: "a", Password: "x", Role: broker.View}, {Name: "a", Password: "y", Role: broker.View}},
		"role":            {{Name: "a", Password: "x", Role: "admin"}},
		"neither":         {{Name: "a", Role: broker.View}},
		"to another user": {{Name: "a", Certificate: "c", Role: broker.View}, {Name: "b", Certificate: "c", Role: broker.View}},
	} {
		if _, err := broker.NewAccess(users); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", users, err, want)
		}
	}
}

// TestPermissions publishes every topic as every role and looks at what came.
func TestPermissions(t *testing.T) {
	access, err := broker.NewAccess([]broker.User{
		{Name: "viewer", Password: "v", Role: broker.View},
		{Name: "operator", Password: "o", Role: broker.Operate},
		{Name: "owner", Password: "c", Role: broker.Configure},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, broker.ServerOptions{Access: access})
	user, password, _ := s.Login()
	names := []string{topics.NameStop, topics.NameInstruction, topics.NameReset, topics.NameRelease, topics.NameSkill, topics.NameTeleop,
		topics.NameState, topics.NamePlan, topics.NameEvent, topics.NameHealth, "actuator/elbow/command"}
	got := make(chan broker.Message, 100)
	o := broker.LinkOptions{URL: s.URL(), Username: user, Password: password}
	for _, name := range names {
		o.Subscriptions = append(o.Subscriptions, listenTo(name, got)...)
	}
	daemon := dial(t, o)
	for _, c := range []struct {
		user, password string
		may            []string
	}{
		{"viewer", "v", names[:1]},
		{"operator", "o", names[:6]},
		{"owner", "c", names},
	} {
		heard := make(chan broker.Message, 100)
		l := dial(t, broker.LinkOptions{URL: s.URL(), Username: c.user, Password: c.password,
			Will: []byte("will"), Subscriptions: listenTo(topics.NameEvent, heard)})
		for _, name := range names {
			send(t, l, name, false, c.user)
		}
		send(t, daemon, topics.NameEvent, false, "for everybody")
		for string(next(t, "event for "+c.user, heard).Payload) != "for everybody" {
		}
		if came := untilEnd(t, daemon, names, got); !slices.Equal(came, c.may) {
			t.Errorf("%s published %v, may publish %v", c.user, came, c.may)
		}
	}
	for _, bad := range []broker.LinkOptions{{}, {Username: "viewer", Password: "o"}, {Username: user, Password: "x"}, {Username: "nobody"}} {
		bad.URL, bad.Robot = s.URL(), robotName
		if l, err := broker.Dial(deadline(t), bad); err == nil {
			l.Close(nil)
			t.Errorf("user %q with password %q was let in", bad.Username, bad.Password)
		}
	}
}

// untilEnd gives the names, in their order, under which somebody else's
// messages came. A message of its own on every topic ends the wait: order holds
// within a topic only.
func untilEnd(t *testing.T, l *broker.Link, names []string, got <-chan broker.Message) (came []string) {
	t.Helper()
	for _, name := range names {
		send(t, l, name, false, "end")
	}
	seen := map[string]bool{}
	for ends := 0; ends < len(names); {
		switch m := next(t, "message", got); string(m.Payload) {
		case "end":
			ends++
		case "for everybody":
		default:
			seen[m.Name] = true
		}
	}
	for _, name := range names {
		if seen[name] {
			came = append(came, name)
		}
	}
	return came
}
