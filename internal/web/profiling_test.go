package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/broker"
	"github.com/kuai-robot/kuai/internal/web"
)

func TestProfilesAreForUsersAlone(t *testing.T) {
	open := start(t, nil)
	if status, _, body := request(t, "GET", open.URL()+"/debug/pprof/", nil, ""); status != 404 || !strings.Contains(body, "access.users") {
		t.Errorf("without users: %d %s", status, body)
	}
	access, err := broker.NewAccess([]broker.User{
		{Name: "ann", Password: "a", Role: broker.Operate}, {Name: "bob", Password: "b", Role: broker.Configure}, {Name: "wall", Password: "w", Role: broker.View},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(o *web.Options) { o.Access = access })
	for _, c := range []struct {
		user, path, says string
		status           int
	}{
		{"", "/debug/pprof/", "user and password", 401},
		{"wall:w", "/debug/pprof/", "may not take profiles", 403},
		{"ann:a", "/debug/pprof/", "goroutine", 200},
		{"bob:b", "/debug/pprof/goroutine?debug=1", "internal/web", 200},
		{"bob:b", "/debug/pprof/cmdline", "", 404}, // may hold passwords
	} {
		r := http.Request{Header: http.Header{}}
		if name, password, ok := strings.Cut(c.user, ":"); ok {
			r.SetBasicAuth(name, password)
		}
		if status, _, body := request(t, "GET", s.URL()+c.path, r.Header, ""); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s as %q: %d %.200s", c.path, c.user, status, body)
		}
	}
}
