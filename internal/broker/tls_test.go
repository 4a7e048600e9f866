package broker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/topics"
)

// authority issues certificates for tests.
type authority struct {
	folder, file string
	cert         *x509.Certificate
	key          *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{folder: t.TempDir()}
	a.file, _ = a.issue(t, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes a certificate of the given common name and gives the files.
func (a *authority) issue(t *testing.T, name string, template *x509.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(int64(len(name)) + 1)
	template.Subject = pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Unix(0, 0), time.Unix(1<<33, 0)
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		a.key = key
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(a.folder, name+".crt"), filepath.Join(a.folder, name+".key")
	write(t, certFile, "CERTIFICATE", der)
	write(t, keyFile, "PRIVATE KEY", keyDER)
	return certFile, keyFile
}

func write(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func clientTLS(t *testing.T, ca, cert, key string) *tls.Config {
	t.Helper()
	c, err := broker.ClientTLS(ca, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTLSAndClientCertificates(t *testing.T) {
	ours, strangers := newAuthority(t), newAuthority(t)
	cert, key := ours.issue(t, "robot", &x509.Certificate{})
	listener, err := broker.ServerTLS(cert, key, ours.file)
	if err != nil {
		t.Fatal(err)
	}
	access, err := broker.NewAccess([]broker.User{
		{Name: "tablet", Certificate: "tablet", Role: broker.Operate},
		{Name: "guest", Password: "g", Role: broker.View},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, broker.ServerOptions{Access: access, TLS: listener})
	usage := func() *x509.Certificate {
		return &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	}
	tabletCert, tabletKey := ours.issue(t, "tablet", usage())
	otherCert, otherKey := ours.issue(t, "other", usage())
	forgedCert, forgedKey := strangers.issue(t, "tablet", usage())

	user, password, own := s.Login()
	got := make(chan broker.Message, 10)
	dial(t, broker.LinkOptions{URL: s.URL(), Username: user, Password: password, TLS: own, Subscriptions: listenTo(topics.NameInstruction, got)})
	tablet := dial(t, broker.LinkOptions{URL: s.URL(), TLS: clientTLS(t, ours.file, tabletCert, tabletKey)})
	send(t, tablet, topics.NameInstruction, false, "by certificate")
	if m := next(t, "instruction", got); string(m.Payload) != "by certificate" {
		t.Errorf("got %q", m.Payload)
	}
	dial(t, broker.LinkOptions{URL: s.URL(), Username: "guest", Password: "g", TLS: clientTLS(t, ours.file, "", "")})

	for name, o := range map[string]broker.LinkOptions{
		"certificate of nobody":      {TLS: clientTLS(t, ours.file, otherCert, otherKey)},
		"certificate of strangers":   {TLS: clientTLS(t, ours.file, forgedCert, forgedKey)},
		"no certificate":             {TLS: clientTLS(t, ours.file, "", "")},
		"an authority we don't know": {Username: "guest", Password: "g", TLS: clientTLS(t, strangers.file, "", "")},
	} {
		o.URL, o.Robot = s.URL(), robotName
		if l, err := broker.Dial(deadline(t), o); err == nil {
			l.Close(nil)
			t.Errorf("%s was let in", name)
		}
	}
}

func TestBrokenCertificateFilesAreNamed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := broker.ServerTLS(empty, empty, ""); err == nil {
		t.Error("an empty certificate was taken")
	}
	if _, err := broker.ClientTLS(empty, "", ""); err == nil {
		t.Error("an empty file of authorities was taken")
	}
	if _, err := broker.ClientTLS("", empty, empty); err == nil {
		t.Error("an empty client certificate was taken")
	}
}
