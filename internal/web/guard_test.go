package web_test

import (
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/web"
)

func TestThePageAndItsHeaders(t *testing.T) {
	s := start(t, nil)
	for _, path := range []string{"/", "/assets/main.js", "/assets/style.css", "/assets/icon.svg"} {
		status, h, body := request(t, "GET", s.URL()+path, http.Header{"Accept-Encoding": {"gzip"}}, "")
		policy := h.Get("Content-Security-Policy")
		if status != 200 || !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d, %v", path, status, h)
		}
		unpacked, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if text, err := io.ReadAll(unpacked); err != nil || strings.Contains(string(text), "http://") && path == "/" {
			t.Errorf("%s: %v, or something from another host", path, err)
		}
		if status, _, _ := request(t, "GET", s.URL()+path, http.Header{"If-None-Match": {h.Get("ETag")}}, ""); status != http.StatusNotModified {
			t.Errorf("%s again: %d", path, status)
		}
	}
	for path, want := range map[string]int{"/other": 404, "/assets/../server.go": 404, "/camera/back.jpg": 404, "/camera/front.exe": 404, "/camera/front.jpg": 503, "/healthz": 200, "/readyz": 200} {
		if status, _, body := request(t, "GET", s.URL()+path, nil, ""); status != want && status != 307 {
			t.Errorf("%s: %d, want %d: %s", path, status, want, body)
		}
	}
}

func TestReadySaysWhyNot(t *testing.T) {
	s := start(t, func(o *web.Options) { o.Ready = func() error { return io.ErrUnexpectedEOF } })
	if status, _, body := request(t, "GET", s.URL()+"/readyz", nil, ""); status != 503 || !strings.Contains(body, "unexpected EOF") {
		t.Errorf("%d %s", status, body)
	}
}

func TestForeignSitesAreRefused(t *testing.T) {
	s := start(t, func(o *web.Options) { o.Hosts = []string{"robot.local"} })
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL(), "http://"), ":")
	for _, c := range []struct {
		name, method, path, host string
		header                   http.Header
		want                     int
	}{
		{"rebound name", "GET", "/", "evil.example", nil, http.StatusMisdirectedRequest},
		{"configured name", "GET", "/", "robot.local:" + port, nil, 200},
		{"address", "GET", "/", "127.0.0.1:" + port, nil, 200},
		{"no browser", "POST", "/stop", "", nil, http.StatusNoContent},
		{"own form", "POST", "/stop", "", http.Header{"Origin": {s.URL()}, "Accept": {"text/html,*/*"}}, http.StatusSeeOther},
		{"foreign form", "POST", "/stop", "", http.Header{"Origin": {"http://evil.example"}}, http.StatusForbidden},
		{"hidden origin", "POST", "/stop", "", http.Header{"Origin": {"null"}}, http.StatusForbidden},
		{"other port", "POST", "/stop", "", http.Header{"Origin": {"http://localhost:1"}}, http.StatusForbidden},
		{"foreign picture", "GET", "/camera/front.jpg", "", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		{"foreign link", "GET", "/", "", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}}, 200},
		{"foreign socket", "GET", "/ws", "", http.Header{"Origin": {"http://evil.example"}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}, http.StatusForbidden},
		{"stop by a link", "GET", "/stop", "", nil, http.StatusMethodNotAllowed},
	} {
		if status, _, body := request(t, c.method, s.URL()+c.path, c.header, c.host); status != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, status, c.want, body)
		}
	}
	if n := len(s.steering.stops); n != 2 {
		t.Errorf("%d stops, want 2", n)
	}
}

func TestAccess(t *testing.T) {
	access, err := broker.NewAccess([]broker.User{{Name: "ann", Password: "a", Role: broker.Operate}, {Name: "wall", Password: "w", Role: broker.View}})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *web.Options) { o.Access = access; o.Metrics = http.NotFoundHandler() })
	for _, path := range []string{"/", "/assets/main.js", "/ws", "/camera/front.jpg", "/ws/camera/front", "/metrics"} {
		if status, h, _ := request(t, "GET", s.URL()+path, nil, ""); status != 401 || h.Get("WWW-Authenticate") == "" {
			t.Errorf("%s without a password: %d", path, status)
		}
	}
	if status, _, _ := request(t, "POST", s.URL()+"/stop", nil, ""); status != 401 {
		t.Errorf("stop by a stranger: %d", status)
	}
	basic := func(user, password string) http.Header {
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(user, password)
		return r.Header
	}
	if status, _, _ := request(t, "GET", s.URL()+"/", basic("ann", "wrong"), ""); status != 401 {
		t.Errorf("wrong password: %d", status)
	}
	status, h, _ := request(t, "GET", s.URL()+"/", basic("wall", "w"), "")
	cookie := h.Get("Set-Cookie")
	if status != 200 || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") {
		t.Fatalf("%d, cookie %q", status, cookie)
	}
	name, _, _ := strings.Cut(cookie, ";")
	viewer := s.dial(t, "/ws", http.Header{"Cookie": {name}})
	if hello := viewer.until("hello"); !strings.Contains(hello, `"role":"view"`) {
		t.Errorf("hello %s", hello)
	}
	viewer.say(`{"topic":"instruction","payload":{"id":"1","text":"go"}}`)
	if reason := viewer.until("refusal"); !strings.Contains(reason, "role view may not publish instruction") {
		t.Errorf("refusal %s", reason)
	}
	viewer.say(`{"topic":"stop","payload":"by hand"}`)
	if reason := next(t, "stop", s.steering.stops); reason != "stop message: by hand" {
		t.Errorf("reason %q", reason)
	}
	operator := s.dial(t, "/ws", basic("ann", "a"))
	operator.say(`{"topic":"instruction","payload":{"id":"1","text":"go"}}`)
	if m := next(t, "instruction", s.steering.messages); m != `instruction {"id":"1","text":"go"}` {
		t.Errorf("message %q", m)
	}
	if status, _, _ := request(t, "GET", s.URL()+"/", http.Header{"Cookie": {"kuai-session=0"}}, ""); status != 401 {
		t.Errorf("made-up session: %d", status)
	}
}

func TestTLSWithClientCertificates(t *testing.T) {
	access, err := broker.NewAccess([]broker.User{{Name: "wall", Certificate: "screen-1", Role: broker.View}})
	if err != nil {
		t.Fatal(err)
	}
	certificate, pool := selfSigned(t, "screen-1")
	s := start(t, func(o *web.Options) {
		o.Access = access
		o.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven}
	})
	if !strings.HasPrefix(s.URL(), "https://localhost:") {
		t.Errorf("URL %s", s.URL())
	}
	client := func(certificates ...tls.Certificate) *http.Client {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: certificates}}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	for want, c := range map[int]*http.Client{http.StatusUnauthorized: client(), http.StatusOK: client(certificate)} {
		response, err := c.Get(s.URL() + "/")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%d, want %d", response.StatusCode, want)
		}
	}
	conn, _, err := websocket.Dial(deadline(t), s.URL()+"/ws", &websocket.DialOptions{HTTPClient: client(certificate)})
	if err != nil {
		t.Fatal(err)
	}
	if hello := (socket{conn, t}).until("hello"); !strings.Contains(hello, `"role":"view"`) {
		t.Errorf("hello %s", hello)
	}
	conn.CloseNow()
}

// selfSigned gives a certificate for localhost that is its own authority.
func selfSigned(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
