package broker_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
)

// A will is published by the broker, for a client that is gone: it needs the
// same right as a message.
func TestAWillNeedsTheRightToPublish(t *testing.T) {
	access, err := broker.NewAccess([]broker.User{
		{Name: "viewer", Password: "v", Role: broker.View}, {Name: "operator", Password: "o", Role: broker.Operate},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, broker.ServerOptions{Access: access})
	user, password, _ := s.Login()
	heard := make(chan broker.Message, 100)
	o := broker.LinkOptions{URL: s.URL(), Username: user, Password: password}
	for _, name := range []string{topics.NameStop, topics.NameTeleop, topics.NameInstruction, topics.NameHealth} {
		o.Subscriptions = append(o.Subscriptions, broker.Subscription{Name: name, Handle: func(m broker.Message) { heard <- m }})
	}
	dial(t, o)
	address := strings.TrimPrefix(s.URL(), "tcp://")
	for _, c := range []struct {
		user, password, name string
		retain, arrives      bool
	}{
		{"viewer", "v", topics.NameTeleop, false, false},
		{"viewer", "v", topics.NameInstruction, true, false},
		{"viewer", "v", topics.NameHealth, true, false}, // nobody else speaks for the robot
		{"operator", "o", topics.NameHealth, true, false},
		{"operator", "o", topics.NameInstruction, false, true},
		{"viewer", "v", topics.NameStop, false, true}, // a stop is never refused
	} {
		for range 3 {
			dieWithWill(t, address, c.user, c.password, c.name, "will", c.retain)
		}
		// By the time that this will is out, those before it are as well.
		dieWithWill(t, address, "operator", "o", topics.NameInstruction, "last", false)
		arrived := 0
		for m := await(t, heard); string(m.Payload) != "last"; m = await(t, heard) {
			if arrived++; m.Name != c.name {
				t.Errorf("%+v arrives as %q", c, m.Name)
			}
		}
		if (arrived > 0) != c.arrives {
			t.Errorf("of three wills of the %s on %s %d arrived", c.user, c.name, arrived)
		}
	}
}

func await(t *testing.T, heard <-chan broker.Message) broker.Message {
	t.Helper()
	select {
	case m := <-heard:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("no will arrived")
	}
	return broker.Message{}
}

// dieWithWill connects as user with a will and cuts the connection.
func dieWithWill(t *testing.T, address, user, password, name, will string, retain bool) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	p.ProtocolName, p.ProtocolVersion, p.CleanSession, p.Keepalive, p.ClientIdentifier = "MQTT", 4, true, 60, "dying"
	p.UsernameFlag, p.Username, p.PasswordFlag, p.Password = true, user, true, []byte(password)
	p.WillFlag, p.WillTopic, p.WillMessage, p.WillRetain = true, topics.Path(robotName, name), []byte(will), retain
	if err := p.Write(conn); err != nil {
		t.Fatal(err)
	}
	answer, err := packets.ReadPacket(conn)
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := answer.(*packets.ConnackPacket); !ok || a.ReturnCode != 0 {
		t.Fatalf("the broker answers %v", answer)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}
