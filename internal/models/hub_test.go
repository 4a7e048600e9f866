package models_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kuai-robot/kuai/internal/models"
)

// fakeHub serves the file that store's entries name.
func fakeHub(t *testing.T, s *models.Store, serve http.HandlerFunc) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /owner/repository/resolve/main/model.bin", serve)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.Hub = server.URL
}

// whole serves text as a hub does, ranges included.
func whole(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
	}
}

func TestPullFromTheHub(t *testing.T) {
	s := store(t, entry("model.bin", content, hub()))
	fakeHub(t, s, whole(content))
	pulled(t, s)
}

func TestAPullThatBrokeOffGoesOn(t *testing.T) {
	const had = 10
	for name, resume := range map[string]http.HandlerFunc{
		"by range":              whole(content),
		"from a hub without it": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, content) },
	} {
		t.Run(name, func(t *testing.T) {
			s := store(t, entry("model.bin", content, hub()))
			var asked atomic.Pointer[string]
			fakeHub(t, s, func(w http.ResponseWriter, r *http.Request) {
				header := r.Header.Get("Range")
				if asked.Swap(&header) != nil {
					resume(w, r)
					return
				}
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				fmt.Fprint(w, content[:had])
			})
			refused(t, s, "after 10 of 33 bytes", "go on from there", "without a network: copy model.bin (33 bytes, SHA-256 ")
			var first models.Progress
			if err := s.Pull(t.Context(), "tiny", func(p models.Progress) {
				if first.Model == "" {
					first = p
				}
			}); err != nil {
				t.Fatal(err)
			}
			if *asked.Load() != fmt.Sprintf("bytes=%d-", had) {
				t.Errorf("the second try asked for %q", *asked.Load())
			}
			if first.Done <= 0 || first.Total != int64(len(content)) {
				t.Errorf("progress began with %+v", first)
			}
			pulled(t, s)
		})
	}
}

func TestTheHubSendsSomethingElse(t *testing.T) {
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		want  string
	}{
		"other bytes":    {whole(strings.ToUpper(content)), "what arrived is wrong: model.bin has SHA-256"},
		"too few":        {whole("short"), "what arrived is wrong: model.bin has 5 bytes, want 33"},
		"without an end": {endless, "more than the 33 bytes"},
		"no such file":   {http.NotFound, "404"},
		"no permission":  {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusForbidden) }, "403"},
	} {
		t.Run(name, func(t *testing.T) {
			s := store(t, entry("model.bin", content, hub()))
			fakeHub(t, s, c.serve)
			refused(t, s, c.want, "without a network")

			// Nothing of it may get into what a better source sends.
			fakeHub(t, s, whole(content))
			pulled(t, s)
		})
	}
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for range 1000 {
		if _, err := fmt.Fprint(w, content); err != nil {
			return
		}
	}
}

func TestAHubThatFallsSilentIsGivenUp(t *testing.T) {
	for name, begin := range map[string]string{"after a few bytes": content[:10], "at once": ""} {
		t.Run(name, func(t *testing.T) {
			s := store(t, entry("model.bin", content, hub()))
			s.Stall = 50 * time.Millisecond
			ended := make(chan struct{})
			defer close(ended)
			fakeHub(t, s, func(w http.ResponseWriter, _ *http.Request) {
				if begin != "" {
					fmt.Fprint(w, begin)
					w.(http.Flusher).Flush()
				}
				<-ended
			})
			refused(t, s, "nothing came for 50ms")
		})
	}
}

func TestNoHubAnswers(t *testing.T) {
	s := store(t, entry("model.bin", content, hub()))
	s.Hub = "http://127.0.0.1:1"
	refused(t, s, "hub", "refused", s.Path("tiny", "model.bin"))
}
