package broker

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/kuai-robot/kuai/internal/topics"
)

// Role is what a user may do.
type Role string

// The roles, each of which may do what the one before it may. Whoever may
// view may stop the robot: a stop is never refused to somebody who can see it.
const (
	View      Role = "view"
	Operate   Role = "operate"
	Configure Role = "configure"
)

var roles = []Role{View, Operate, Configure}

// User is one who may connect, by password or by the common name of a client
// certificate.
type User struct {
	Name string
	// Password; empty: only a certificate lets the user in.
	Password string
	// Certificate is the common name of the client certificate that is this
	// user; empty: only the password does.
	Certificate string
	Role        Role
}

// Access says who may connect and what each may do. The zero value lets
// everybody in, as Configure, and is for loopback only. It does not change
// once made.
type Access struct {
	users []User
}

// NewAccess checks users and gives the Access they make up.
func NewAccess(users []User) (*Access, error) {
	names, certificates := map[string]bool{}, map[string]bool{}
	for _, u := range users {
		switch {
		case u.Name == "":
			return nil, errors.New("a user has no name")
		case names[u.Name]:
			return nil, fmt.Errorf("user %s stands there twice", u.Name)
		case !slices.Contains(roles, u.Role):
			return nil, fmt.Errorf("user %s: role %q is not view, operate or configure", u.Name, u.Role)
		case u.Password == "" && u.Certificate == "":
			return nil, fmt.Errorf("user %s has neither a password nor a certificate", u.Name)
		case u.Certificate != "" && certificates[u.Certificate]:
			return nil, fmt.Errorf("user %s: certificate %q belongs to another user already", u.Name, u.Certificate)
		}
		names[u.Name], certificates[u.Certificate] = true, true
	}
	return &Access{users: slices.Clone(users)}, nil
}

// Open says whether everybody is let in.
func (a *Access) Open() bool { return a == nil || len(a.users) == 0 }

// Password gives the role of the user called name if password is right. It
// takes the same time for a name that does not exist.
func (a *Access) Password(name, password string) (Role, bool) {
	if a.Open() {
		return Configure, true
	}
	role, ok := Role(""), false
	given := sha256.Sum256([]byte(password))
	for _, u := range a.users {
		want := sha256.Sum256([]byte(u.Password))
		same := subtle.ConstantTimeCompare(given[:], want[:]) == 1
		if same && u.Name == name && u.Password != "" {
			role, ok = u.Role, true
		}
	}
	return role, ok
}

// Certificate gives the role of the user whose client certificate, already
// verified, has this common name.
func (a *Access) Certificate(commonName string) (Role, bool) {
	if a.Open() {
		return Configure, true
	}
	for _, u := range a.users {
		if u.Certificate != "" && u.Certificate == commonName {
			return u.Role, true
		}
	}
	return "", false
}

// May says whether role may publish the topic called name.
func (role Role) May(name string) bool {
	switch role {
	case Configure:
		return true
	case Operate:
		return name == topics.NameStop || name == topics.NameInstruction || name == topics.NameReset ||
			name == topics.NameSkill || name == topics.NameTeleop || name == topics.NameRelease || name == topics.NameTalk
	case View:
		return name == topics.NameStop
	}
	return false
}

// CheckListen refuses an address that other machines can reach while
// everybody is let in. what names the listener and key the place in the
// configuration, for the message.
func (a *Access) CheckListen(what, key, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%s: listen address %q: %w (want host:port, such as 127.0.0.1:1883)", what, address, err)
	}
	if !a.Open() || IsLoopback(host) {
		return nil
	}
	return fmt.Errorf("%s: refusing to listen on %s, which other machines can reach, without access control; "+
		"listen on 127.0.0.1, or add to the configuration:\n"+
		"access:\n  users: [{name: me, password: %s, role: operate}]\n(the line that opened it: %s: %q)",
		what, address, randomToken(8), key, address)
}

// IsLoopback says whether only this machine can reach host. A name other than
// localhost is not trusted to stay there.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// randomToken gives 2·n hexadecimal digits nobody can guess.
func randomToken(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}
