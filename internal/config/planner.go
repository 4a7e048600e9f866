package config

import (
	"net/url"
	"time"
)

// defaultRemote asks nobody.
func defaultRemote() Remote { return Remote{Timeout: 3 * time.Second} }

func (r *Remote) check(k *checker) {
	k.require(r.Timeout >= 100*time.Millisecond && r.Timeout <= time.Minute, "planner.remote.timeout", "%v is not 100ms to 1m", r.Timeout)
	if r.URL == "" {
		return
	}
	u, err := url.Parse(r.URL)
	k.require(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil, "planner.remote.url",
		"%q is not http(s)://HOST:PORT/v1", clip(r.URL))
	k.require(r.Model != "", "planner.remote.model", "is empty: what is the model called there?")
}
