package web

import (
	"net/http"
	"net/http/pprof"

	"github.com/kuai-robot/kuai/internal/broker"
)

// profiling serves what go tool pprof reads. Profiles tell what the process is
// made of, and taking one costs it time: they are for users who may operate the
// robot, and for nobody while there are no users.
func (s *Server) profiling() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.o.Access.Open() {
			s.refuse(w, http.StatusNotFound, "profiles are for users alone (access.users in the configuration)")
			return
		}
		if role := roleOf(r); role != broker.Operate && role != broker.Configure {
			s.refuse(w, http.StatusForbidden, "role "+string(role)+" may not take profiles")
			return
		}
		mux.ServeHTTP(w, r)
	})
}
