package broker_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
)

// users reads a user a line: name, password, certificate and role between tabs.
func users(text string) (all []broker.User) {
	for line := range strings.Lines(text) {
		parts := append(strings.Split(strings.TrimSuffix(line, "\n"), "\t"), "", "", "")
		all = append(all, broker.User{Name: parts[0], Password: parts[1], Certificate: parts[2], Role: broker.Role(parts[3])})
	}
	return all
}

// Whatever users a configuration lists: they are refused, or each gets in as
// what it says, and nobody else does.
func FuzzAccess(f *testing.F) {
	for _, seed := range []string{
		"", "ann\tsecret\t\tview", "ann\tsecret\t\toperate\nbob\t\tbob's card\tconfigure", "\tx\t\tview", "ann\t\t\tview",
		"a\tx\t\tview\na\ty\t\tconfigure", "a\tx\tc\tview\nb\tx\tc\tview", "a\tsame\t\tview\nb\tsame\t\tconfigure", "kuai-daemon\tx\t\tview", "a\t\xff\t\tadmin",
	} {
		f.Add(seed, "ann", "secret")
	}
	f.Fuzz(func(t *testing.T, text, name, password string) {
		all := users(text)
		access, err := broker.NewAccess(all)
		if err != nil {
			return
		}
		if access.Open() != (len(all) == 0) {
			t.Fatalf("%d users, open %v", len(all), access.Open())
		}
		for _, u := range all {
			if role, ok := access.Password(u.Name, u.Password); ok != (u.Password != "") || ok && role != u.Role {
				t.Fatalf("%+v gets in as %q, %v", u, role, ok)
			}
			if role, ok := access.Certificate(u.Certificate); ok != (u.Certificate != "") || ok && role != u.Role {
				t.Fatalf("the certificate of %+v gets in as %q, %v", u, role, ok)
			}
			if !u.Role.May(topics.NameStop) {
				t.Fatalf("%+v may not stop the robot", u)
			}
		}
		_, ok := access.Password(name, password)
		for _, u := range all {
			ok = ok && !(u.Name == name && u.Password == password)
		}
		if ok && !access.Open() {
			t.Fatalf("%q with %q gets in", name, password)
		}
	})
}

// A role may what the one below it may, whatever the topic is called, and a
// role that is none may nothing.
func FuzzTopic(f *testing.F) {
	f.Add("so101", "kuai/v1/so101/stop", []byte("somebody is at the table"))
	f.Add("a.b", "kuai/v1/a.b/#", []byte("\x1b[2J\r\n\u202e"))
	f.Add("+", "kuai/v1/+/stop", []byte{0xff})
	f.Add("", "", []byte(nil))
	f.Add("r", "kuai/v1/r/"+strings.Repeat("/", 200), []byte(strings.Repeat("é", 100)))
	f.Fuzz(func(t *testing.T, robot, path string, payload []byte) {
		if topics.ValidRobot(robot) == nil && strings.ContainsAny(robot, "/+#.*> \x00") {
			t.Fatalf("a robot may be called %q, which is no level of a topic", robot)
		}
		name, ok := topics.Name(robot, path)
		if ok != strings.HasPrefix(path, topics.Path(robot, "")) || ok && topics.Path(robot, name) != path {
			t.Fatalf("topic %q of robot %q is %q, %v", path, robot, name, ok)
		}
		if broker.View.May(name) && !broker.Operate.May(name) || broker.Operate.May(name) && !broker.Configure.May(name) {
			t.Fatalf("topic %q is for a lower role alone", name)
		}
		if broker.View.May(name) != (name == topics.NameStop) {
			t.Fatalf("who may look may publish %q", name)
		}
		for _, role := range []broker.Role{"", "VIEW", broker.Role(name)} {
			if role.May(topics.NameStop) && role != broker.View && role != broker.Operate && role != broker.Configure {
				t.Fatalf("role %q may publish", role)
			}
		}
		reason := topics.StopReason(payload)
		if !utf8.ValidString(reason) || strings.ContainsAny(reason, "\r\n\x1b\x00") || len(reason) > 400 {
			t.Fatalf("% x gives the reason %q", payload, reason)
		}
	})
}

// babbling is a broker that lets a link in and then sends it anything.
func babbling(conn net.Conn, bytes []byte) {
	defer conn.Close()
	for range 3 {
		packet, err := packets.ReadPacket(conn)
		if err != nil {
			return
		}
		switch p := packet.(type) {
		case *packets.ConnectPacket:
			_ = packets.NewControlPacket(packets.Connack).Write(conn)
		case *packets.SubscribePacket:
			reply := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
			reply.MessageID, reply.ReturnCodes = p.MessageID, []byte{p.Qoss[0]}
			_ = reply.Write(conn)
			_, _ = conn.Write(bytes)
			return
		}
	}
}

// publish gives the bytes of a message.
func publish(topic string, payload []byte) string {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload = topic, payload
	var out strings.Builder
	_ = p.Write(&out)
	return out.String()
}

// FuzzLink sends a link whatever a hostile broker may send. It hears messages
// of its robot and nothing else, and it ends when it is closed.
func FuzzLink(f *testing.F) {
	stop := topics.Path(robotName, topics.NameStop)
	for _, seed := range []string{
		publish(stop, []byte("now")), publish("kuai/v1/other/stop", nil), publish(strings.Repeat("a/", 300), nil),
		"", "\xd0\x00", "\x30\xff\xff\xff\x7f", "\x30\x02\x00\x05", "\x30\x00", "\x40\x02\x00\x01", "\x90\x03\x00\x01\x80",
		"\x00\x00", "\xf0\xff\xff\xff\xff\xff", "\x32\x04\x00\x00\x00\x00", publish(stop, nil) + "\x20\x02\x00\x05",
	} {
		f.Add([]byte(seed))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { listener.Close() })
	f.Fuzz(func(t *testing.T, bytes []byte) {
		served := make(chan struct{})
		go func() {
			defer close(served)
			if conn, err := listener.Accept(); err == nil {
				babbling(conn, bytes)
			}
		}()
		// Nobody says more than it has said by then.
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		l, err := broker.Dial(ctx, broker.LinkOptions{
			URL: "tcp://" + listener.Addr().String(), Robot: robotName, Role: "fuzz",
			Subscriptions: []broker.Subscription{{Name: topics.NameStop, Handle: func(m broker.Message) {
				if m.Name != topics.NameStop {
					t.Errorf("heard %q", m.Name)
				}
			}}},
		})
		<-served
		if err != nil {
			return // what came was taken for a refusal
		}
		l.Close(nil)
	})
}

// FuzzServer sends the embedded broker whatever a hostile client may send, with
// and without saying who it is. Those who behave do not notice.
func FuzzServer(f *testing.F) {
	connect := "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04fuzz"
	for _, seed := range []string{
		"", connect, connect + publish("kuai/v1/"+robotName+"/stop", nil), connect + "\x82\x06\x00\x01\x00\x01#\x00", connect + "\xe0\x00",
		"\x10\xff\xff\xff\xff", "\x10\x00", "GET / HTTP/1.1\r\n\r\n", "\x10\x0e\x00\x04MQTT\x04\xce\x00\x3c\x00\x00", connect + connect,
		connect + "\x30\xff\xff\xff\x7f", "\x16\x03\x01\x00\xa5\x01\x00", connect + "\x32\x02\x00\x00", connect + publish("$SYS/x", []byte("y")),
	} {
		f.Add([]byte(seed))
	}
	server, err := broker.StartServer(broker.ServerOptions{Listen: "127.0.0.1:0", Robot: robotName, Folder: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { server.Close() })
	address := strings.TrimPrefix(server.URL(), "tcp://")
	heard := make(chan string, 100)
	well, err := broker.Dial(context.Background(), broker.LinkOptions{
		URL: server.URL(), Robot: robotName, Role: "well",
		Subscriptions: []broker.Subscription{{Name: topics.NameEvent, Handle: func(m broker.Message) { heard <- string(m.Payload) }}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { well.Close(nil) })
	marks := 0
	f.Fuzz(func(t *testing.T, bytes []byte) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = conn.Write(bytes) // it may hang up at any byte
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
		marks++
		mark := fmt.Sprintf("still there, for the %dth time", marks)
		well.Publish(topics.NameEvent, 0, false, []byte(mark))
		for got := ""; got != mark; {
			select {
			case got = <-heard:
			case <-t.Context().Done():
				t.Fatal("the broker delivers nothing any more")
			}
		}
	})
}
