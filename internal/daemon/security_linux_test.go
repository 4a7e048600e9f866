package daemon

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/actuation/safety"
	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/config"
	"github.com/kuai-robot/kuai/internal/topics"
)

// authority issues certificates.
type authority struct {
	t      *testing.T
	folder string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, folder: t.TempDir()}
	a.issue("ca")
	return a
}

// ca is the file of the authority itself.
func (a *authority) ca() string { return filepath.Join(a.folder, "ca.crt") }

// issue writes a certificate for name and its key.
func (a *authority) issue(name string) (certificate, key string) {
	a.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = template, private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &private.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			a.t.Fatal(err)
		}
		a.key = private
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, key = filepath.Join(a.folder, name+".crt"), filepath.Join(a.folder, name+".key")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return certificate, key
}

// guarded is a daemon with certificates, and two authorities.
type guarded struct {
	*rig
	heard           *heard
	ours, strangers *authority
}

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	g := &guarded{ours: newAuthority(t), strangers: newAuthority(t)}
	c := newServoArm(t).config()
	c.Web.Listen = "127.0.0.1:0"
	c.TLS.Certificate, c.TLS.Key = g.ours.issue("robot")
	c.TLS.ClientCA = g.ours.ca()
	c.Access.Users = []config.User{
		{Name: "screen", Certificate: "screen", Role: string(broker.View)},
		{Name: "ann", Certificate: "ann", Role: string(broker.Operate)},
		{Name: "owner", Certificate: "owner", Role: string(broker.Configure)},
		{Name: "guest", Password: "g", Role: string(broker.View)},
	}
	g.rig, g.heard = startServos(t, c, nil)
	t.Cleanup(func() { g.end(t) })
	g.mustReach(t, safety.Held)
	return g
}

// login is what somebody whose certificate is from a connects with; no name: no
// certificate.
func (g *guarded) login(t *testing.T, a *authority, name string) broker.LinkOptions {
	t.Helper()
	var certificate, key string
	if name != "" {
		certificate, key = a.issue(name)
	}
	client, err := broker.ClientTLS(g.ours.ca(), certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	return broker.LinkOptions{URL: g.daemon.Broker(), TLS: client, Robot: g.daemon.config.Robot.Name, Role: "test"}
}

func (g *guarded) dial(t *testing.T, o broker.LinkOptions) (*broker.Link, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return broker.Dial(ctx, o)
}

// A daemon started with certificates, over MQTT: each role may do what it may,
// and nobody else is let in.
func TestCertificatesOverMQTT(t *testing.T) {
	g := startGuarded(t)
	ann, err := g.dial(t, g.login(t, g.ours, "ann"))
	if err != nil {
		t.Fatal(err)
	}
	defer ann.Close(nil)
	screen, err := g.dial(t, g.login(t, g.ours, "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close(nil)
	send := func(l *broker.Link, name, payload string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		// A broker need not say that it let nobody hear a message.
		_ = l.Send(ctx, name, false, []byte(payload))
	}
	// Whoever may look may stop, and may not do anything else.
	send(screen, topics.NameStop, "from the wall")
	g.mustReach(t, safety.Stopped)
	g.heard.event("stopped", func(e topics.Event) bool {
		return e.Kind == topics.EventStopped && strings.Contains(e.Reason, "from the wall")
	})
	send(screen, topics.NameReset, `{"id":"a viewer's"}`)
	send(ann, topics.NameReset, `{"id":"ann's"}`)
	g.heard.event("reset", func(e topics.Event) bool {
		if e.ID == "a viewer's" {
			t.Error("a viewer's reset was heard")
		}
		return e.Kind == topics.EventReset && e.ID == "ann's"
	})
	g.mustReach(t, safety.Held)
	// What the robot says, operators may not say in its place; the owner may.
	owner := g.login(t, g.ours, "owner")
	said := make(chan string, 10)
	owner.Subscriptions = []broker.Subscription{{Name: topics.NamePlan, Handle: func(m broker.Message) { said <- string(m.Payload) }}}
	l, err := g.dial(t, owner)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close(nil)
	send(screen, topics.NamePlan, "viewer")
	send(ann, topics.NamePlan, "operator")
	send(l, topics.NamePlan, "owner")
	select {
	case text := <-said:
		if text != "owner" {
			t.Errorf("the %s's plan was heard", text)
		}
	case <-time.After(20 * time.Second):
		t.Error("the owner's plan was not heard")
	}
	guest := g.login(t, g.ours, "")
	guest.Username, guest.Password = "guest", "wrong"
	strange := g.login(t, g.ours, "")
	if strange.TLS, err = broker.ClientTLS(g.strangers.ca(), "", ""); err != nil {
		t.Fatal(err)
	}
	strange.Username, strange.Password = "guest", "g"
	plain := broker.LinkOptions{URL: strings.Replace(g.daemon.Broker(), "ssl:", "tcp:", 1), Username: "guest", Password: "g", Robot: g.daemon.config.Robot.Name, Role: "test"}
	for name, o := range map[string]broker.LinkOptions{
		"a certificate of strangers":             g.login(t, g.strangers, "ann"),
		"a certificate of nobody who is known":   g.login(t, g.ours, "bob"),
		"no certificate and no password":         g.login(t, g.ours, ""),
		"a wrong password":                       guest,
		"somebody who does not trust the robot":  strange,
		"somebody who speaks without encryption": plain,
	} {
		if l, err := g.dial(t, o); err == nil {
			l.Close(nil)
			t.Errorf("%s was let in", name)
		}
	}
}

// The same over HTTP: the page and its stop button.
func TestCertificatesOverHTTP(t *testing.T) {
	g := startGuarded(t)
	if !strings.HasPrefix(g.daemon.URL(), "https://") {
		t.Fatalf("the page is at %s", g.daemon.URL())
	}
	request := func(a *authority, name, method, path string) int {
		t.Helper()
		client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: g.login(t, a, name).TLS}}
		defer client.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), method, g.daemon.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(r)
		if err != nil {
			return 0
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	for _, c := range []struct {
		authority *authority
		name      string
		want      int
	}{{g.ours, "ann", 200}, {g.ours, "screen", 200}, {g.ours, "bob", 401}, {g.ours, "", 401}, {g.strangers, "ann", 0}} {
		if got := request(c.authority, c.name, http.MethodGet, "/"); got != c.want {
			t.Errorf("the page for %q: %d, want %d", c.name, got, c.want)
		}
	}
	if s := g.daemon.loop.Status(); s.Verdict.Mode != safety.Held {
		t.Fatalf("it is %v", s.Verdict.Mode)
	}
	if got := request(g.strangers, "screen", http.MethodPost, "/stop"); got != 0 {
		t.Errorf("a stranger's stop: %d", got)
	}
	if got := request(g.ours, "", http.MethodPost, "/stop"); got != 401 {
		t.Errorf("nobody's stop: %d", got)
	}
	if got := request(g.ours, "screen", http.MethodPost, "/stop"); got != 204 {
		t.Errorf("a viewer's stop: %d", got)
	}
	g.mustReach(t, safety.Stopped)
}

// Beyond this machine nothing listens without users, encrypted or not.
func TestDaemonRefusesToListenBeyondLoopback(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	a := newServoArm(t)
	ours := newAuthority(t)
	for want, change := range map[string]func(*config.Config){
		"broker.listen": func(c *config.Config) { c.Broker.Listen = "0.0.0.0:0" },
		"web.listen":    func(c *config.Config) { c.Web.Listen = "0.0.0.0:0" },
		"access:": func(c *config.Config) {
			c.Broker.Listen = "[::]:0"
			c.TLS.Certificate, c.TLS.Key = ours.issue("robot")
			c.TLS.ClientCA = ours.ca()
		},
	} {
		c := a.config()
		change(c)
		d, err := New(Options{Config: c})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "users") {
			t.Errorf("New gave %v, want a refusal with %q", err, want)
		}
		if err == nil {
			_ = d.Close()
		}
	}
}
