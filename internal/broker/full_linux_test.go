package broker_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/smalldisk"
	"github.com/kuai-robot/kuai/internal/topics"
)

// A broker whose folder lies on a disk that is full complains, and carries what
// needs no disk: stops, and everything else that is published at QoS 0.
func TestBrokerOnAFullDisk(t *testing.T) {
	small, ok := smalldisk.Mount(t, "2m")
	if !ok {
		return
	}
	complaints := make(chan error, 1000)
	s, err := broker.StartServer(broker.ServerOptions{
		Listen: "127.0.0.1:0", Robot: robotName, Folder: filepath.Join(small, "broker"),
		OnError: func(err error) {
			select {
			case complaints <- err:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stopped := make(chan string, 1)
	stop, err := broker.StopLink(deadline(t), broker.LinkOptions{URL: s.URL(), Robot: robotName}, func(reason string) { stopped <- reason })
	if err != nil {
		t.Fatal(err)
	}
	defer stop.Close(nil)
	got := make(chan broker.Message, 1000)
	dial(t, broker.LinkOptions{URL: s.URL(), Subscriptions: append(listenTo(topics.NameInstruction, got), broker.Subscription{Name: topics.NameTeleop, Handle: func(m broker.Message) { got <- m }})})
	out := dial(t, broker.LinkOptions{URL: s.URL()})
	smalldisk.Fill(t, filepath.Join(small, "filler"))
	for range 100 {
		out.Publish(topics.NameInstruction, 1, false, make([]byte, 4000))
	}
	if err := next(t, "complaint of the broker", complaints); !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("the broker complains of something else: %v", err)
	}
	for _, qos := range []byte{1, 0} {
		out.Publish(topics.NameStop, qos, false, []byte("full"))
		if reason := next(t, "stop", stopped); reason != "stop message: full" {
			t.Errorf("reason %q", reason)
		}
	}
	out.Publish(topics.NameTeleop, 0, false, []byte("steer"))
	for m := next(t, "message at QoS 0", got); m.Name != topics.NameTeleop; m = next(t, "message at QoS 0", got) {
	}
}
