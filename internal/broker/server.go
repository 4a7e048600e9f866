package broker

import (
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/kuai-robot/kuai/internal/topics"
	"github.com/kuai-robot/kuai/robot"
)

const (
	serverReadyWithin = 5 * time.Second
	serverStoreBytes  = 48 << 20
	serverMemoryBytes = 32 << 20
	// How long a client may take to say who it is, s.
	serverAuthSeconds = 2
	sharedMemory      = "/dev/shm"
	// daemonUser is the name under which the daemon itself connects.
	daemonUser = "kuai-daemon"
)

// ServerOptions describe the embedded broker.
type ServerOptions struct {
	// Listen is host:port; port 0 takes a free one.
	Listen string
	// Robot is the robot's name in the topics.
	Robot  string
	Access *Access
	// TLS is nil for a plain listener.
	TLS *tls.Config
	// Folder holds the state of this run, at most 48 MB, and is emptied first;
	// empty: a new one in memory where there is /dev/shm, removed by Close.
	Folder string
	// OnError is told what the server complains about, from any goroutine.
	OnError func(error)
}

// Server is the embedded MQTT broker.
type Server struct {
	nats      *server.Server
	url       string
	folder    string
	temporary bool
	lock      *os.File // says that the folder is in use; nil unless temporary
	password  string
	tls       *tls.Config
}

// StartServer gives a broker that is ready for clients. It fails when the
// address is taken, or reachable from other machines without access control.
func StartServer(o ServerOptions) (*Server, error) {
	if err := o.Access.CheckListen("broker", "broker.listen", o.Listen); err != nil {
		return nil, err
	}
	host, port, err := freeAddress(o.Listen)
	if err != nil {
		return nil, err
	}
	s := &Server{folder: o.Folder, password: randomToken(16)}
	if err := s.prepareFolder(); err != nil {
		return nil, err
	}
	if err := s.start(o, host, port); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// freeAddress resolves the address and says who to look for when it is taken.
func freeAddress(listen string) (host string, port int, err error) {
	l, err := net.Listen("tcp", listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return "", 0, fmt.Errorf("broker: %s is taken: another kuai or MQTT broker runs there "+
			"(stop it, or set broker.listen to a free port, or broker.url to use it)", listen)
	}
	if err != nil {
		return "", 0, fmt.Errorf("broker: listen on %s: %w", listen, err)
	}
	defer l.Close()
	host, text, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}

func (s *Server) prepareFolder() error {
	if s.folder == "" {
		// Nothing here outlives the run: memory spares the disk, and a full disk.
		clock := robot.NewSystemClock()
		now := clock.Epoch().Add(time.Duration(clock.Now()))
		for _, parent := range []string{sharedMemory, os.TempDir()} {
			sweep(parent, now)
			if folder, lock, err := claim(parent); err == nil {
				s.folder, s.lock, s.temporary = folder, lock, true
				return nil
			}
		}
		return fmt.Errorf("broker: no temporary folder in %s or %s (set TMPDIR to one that is writable)", sharedMemory, os.TempDir())
	}
	// Messages of an earlier run must not be delivered in this one.
	if err := os.RemoveAll(filepath.Join(s.folder, "jetstream")); err != nil {
		return fmt.Errorf("broker: empty %s: %w", s.folder, err)
	}
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return fmt.Errorf("broker: make %s: %w", s.folder, err)
	}
	return nil
}

func (s *Server) start(o ServerOptions, host string, port int) error {
	log := &complaints{report: o.OnError}
	options := &server.Options{
		ServerName: "kuai-" + o.Robot, DontListen: true, NoSigs: true, NoSystemAccount: true,
		JetStream: true, StoreDir: s.folder, JetStreamMaxMemory: serverMemoryBytes, JetStreamMaxStore: serverStoreBytes,
		MaxPayload: topics.MaxMessage * 4,
		MQTT:       server.MQTTOpts{Host: host, Port: port, TLSConfig: o.TLS, AuthTimeout: serverAuthSeconds, TLSTimeout: serverAuthSeconds},
	}
	if !o.Access.Open() {
		options.CustomClientAuthentication = &gate{access: o.Access, robot: o.Robot, password: s.password}
	}
	nats, err := server.NewServer(options)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	nats.SetLoggerV2(log, false, false, false)
	s.nats = nats
	go nats.Start()
	if !nats.ReadyForConnections(serverReadyWithin) || log.fatal.Load() != nil {
		if fatal := log.fatal.Load(); fatal != nil {
			return fmt.Errorf("broker: %s", *fatal)
		}
		return fmt.Errorf("broker: not ready on %s within %v (is %s writable?)", o.Listen, serverReadyWithin, s.folder)
	}
	scheme := "tcp"
	if o.TLS != nil {
		scheme = "ssl"
		s.tls = pinned(o.TLS)
	}
	s.url = scheme + "://" + net.JoinHostPort(reachable(host), strconv.Itoa(port))
	return nil
}

// reachable gives the address at which this machine reaches a listener on host.
func reachable(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

// pinned gives the client side for our own listener, whatever name its
// certificate carries: the peer must show that very certificate.
func pinned(listener *tls.Config) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// The chain is not verified because the certificate itself is compared.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(listener.Certificates) == 0 || len(state.PeerCertificates) == 0 ||
				subtle.ConstantTimeCompare(listener.Certificates[0].Certificate[0], state.PeerCertificates[0].Raw) != 1 {
				return errors.New("somebody else answers at the broker's address")
			}
			return nil
		},
	}
}

// URL is where clients on this machine connect.
func (s *Server) URL() string { return s.url }

// Login gives what the daemon's own links connect with.
func (s *Server) Login() (username, password string, tls *tls.Config) {
	return daemonUser, s.password, s.tls
}

// Close disconnects everybody and ends the server. It may be called twice.
func (s *Server) Close() error {
	if s.nats != nil {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		s.nats = nil
	}
	if s.temporary {
		s.temporary = false
		return errors.Join(os.RemoveAll(s.folder), s.lock.Close())
	}
	return nil
}

// gate lets clients in by Access and gives each the permissions of its role.
type gate struct {
	access   *Access
	robot    string
	password string
}

// Check implements server.Authentication.
func (g *gate) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Username == daemonUser {
		ok := subtle.ConstantTimeCompare([]byte(o.Password), []byte(g.password)) == 1
		if ok {
			c.RegisterUser(&server.User{Username: daemonUser})
		}
		return ok
	}
	var role Role
	var ok bool
	if state := c.GetTLSConnectionState(); state != nil && len(state.VerifiedChains) > 0 && o.Username == "" {
		role, ok = g.access.Certificate(state.PeerCertificates[0].Subject.CommonName)
	} else {
		role, ok = g.access.Password(o.Username, o.Password)
	}
	if ok {
		c.RegisterUser(&server.User{Username: o.Username, Permissions: permissions(role, g.robot)})
	}
	return ok
}

// permissions turns a role into subjects of the server: a topic's "/" is ".".
func permissions(role Role, robot string) *server.Permissions {
	subject := func(name string) string { return "kuai.v1." + robot + "." + name }
	if role == Configure {
		return &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: []string{"kuai.>"}},
			Subscribe: &server.SubjectPermission{Allow: []string{"kuai", "kuai.>", "$MQTT.sub.>", "$MQTT.deliver.pubrel.>"}},
		}
	}
	var publish []string
	for _, name := range []string{topics.NameStop, topics.NameInstruction, topics.NameReset, topics.NameRelease, topics.NameSkill, topics.NameTeleop, topics.NameTalk} {
		if role.May(name) {
			publish = append(publish, subject(name))
		}
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: []string{"kuai", "kuai.>", "$MQTT.sub.>", "$MQTT.deliver.pubrel.>"}},
	}
}

// complaints passes the server's errors on and keeps the first fatal one.
type complaints struct {
	report func(error)
	fatal  atomic.Pointer[string]
}

func (c *complaints) say(format string, args []any) {
	if c.report != nil {
		c.report(fmt.Errorf("broker: "+format, args...))
	}
}

func (c *complaints) Noticef(string, ...any)            {}
func (c *complaints) Debugf(string, ...any)             {}
func (c *complaints) Tracef(string, ...any)             {}
func (c *complaints) Warnf(format string, args ...any)  { c.say(format, args) }
func (c *complaints) Errorf(format string, args ...any) { c.say(format, args) }
func (c *complaints) Fatalf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.fatal.CompareAndSwap(nil, &text)
}
