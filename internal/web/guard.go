package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/robot"
)

// contentPolicy keeps the page to its own host: no script, style, picture or
// connection from elsewhere, no inline code, no framing.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard refuses what did not come from the page itself, and sets the headers
// that every answer carries.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		// With no-referrer a form would send the Origin "null".
		h.Set("Referrer-Policy", "same-origin")
		if !s.knownHost(r.Host) {
			s.refuse(w, http.StatusMisdirectedRequest, "this page is not called "+clip(r.Host)+" (add the name to web.hosts)")
			return
		}
		if !sameOrigin(r) {
			s.refuse(w, http.StatusForbidden, "another web site sent this request")
			return
		}
		s.answer(next, w, r)
	})
}

// answer has next answer a request. A panic ends that request and is told;
// net/http by itself would only drop the connection.
func (s *Server) answer(next http.Handler, w http.ResponseWriter, r *http.Request) {
	p := s.look(func() { next.ServeHTTP(w, r) })
	if p != nil {
		panic(http.ErrAbortHandler)
	}
}

// look runs f and tells of a panic in it.
func (s *Server) look(f func()) *robot.Panic {
	p := robot.PanicIn(robot.Guard(func() error {
		f()
		return nil
	}))
	if p != nil && p.Value != http.ErrAbortHandler && s.o.Broke != nil {
		s.o.Broke(p)
	}
	return p
}

// beside runs f on a goroutine of its own that Run waits for.
func (s *Server) beside(f func()) { s.sockets.Go(func() { s.look(f) }) }

func (s *Server) refuse(w http.ResponseWriter, status int, why string) {
	s.refused.Add(1)
	http.Error(w, why, status)
}

// knownHost says whether a browser that meant this machine would send host. A
// plain address needs no name server, so nobody can rebind it.
func (s *Server) knownHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || net.ParseIP(host) != nil || slices.Contains(s.o.Hosts, host)
}

// sameOrigin says whether the request came from the page, or from no page at
// all. Browsers tell the origin of every WebSocket and of every POST.
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default: // a link on another site may lead here, to the page itself alone
		return r.Method == http.MethodGet && r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == r.Host
}

type roleKey struct{}

// roleOf gives the role of the user who sent r, which may has let in.
func roleOf(r *http.Request) broker.Role {
	role, _ := r.Context().Value(roleKey{}).(broker.Role)
	return role
}

// may lets in who is a user and, unless topic is empty, may publish on it.
func (s *Server) may(topic string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		role, ok := s.identify(w, r)
		if !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="kuai", charset="UTF-8"`)
			s.refuse(w, http.StatusUnauthorized, "user and password, please (access.users in the configuration)")
			return
		}
		if topic != "" && !role.May(topic) {
			s.refuse(w, http.StatusForbidden, "role "+string(role)+" may not do this")
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), roleKey{}, role)))
	})
}

// identify finds out who sent r. Who shows a password gets a session.
func (s *Server) identify(w http.ResponseWriter, r *http.Request) (broker.Role, bool) {
	if s.o.Access.Open() {
		return broker.Configure, true
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		if role, ok := s.o.Access.Certificate(r.TLS.PeerCertificates[0].Subject.CommonName); ok {
			return role, true
		}
	}
	if name, password, ok := r.BasicAuth(); ok {
		role, ok := s.o.Access.Password(name, password)
		if ok && r.URL.Path == "/" {
			s.sessions.open(w, role, r.TLS != nil)
		}
		return role, ok
	}
	return s.sessions.find(r)
}

const (
	cookieName  = "kuai-session"
	maxSessions = 1024
)

// sessions remembers who has shown a password, as long as the daemon runs.
type sessions struct {
	mu    sync.Mutex
	roles map[string]broker.Role
	order []string // oldest first
}

func newSessions() *sessions { return &sessions{roles: map[string]broker.Role{}} }

func (s *sessions) open(w http.ResponseWriter, role broker.Role, secure bool) {
	var random [16]byte
	rand.Read(random[:])
	token := hex.EncodeToString(random[:])
	s.mu.Lock()
	if len(s.order) == maxSessions {
		delete(s.roles, s.order[0])
		s.order = s.order[1:]
	}
	s.roles[token], s.order = role, append(s.order, token)
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode})
}

func (s *sessions) find(r *http.Request) (broker.Role, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	role, ok := s.roles[cookie.Value]
	return role, ok
}

func acceptsHTML(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// clip keeps what a stranger sent from filling an answer.
func clip(s string) string {
	if len(s) <= 60 {
		return s
	}
	return strings.ToValidUTF8(s[:60], "") + "…"
}
