package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kuai-robot/kuai/internal/daemon"
)

func TestGeneratedMetrics(t *testing.T) {
	var out strings.Builder
	out.WriteString("# Metrics\n\n" + generated + `
` + "`kuai run`" + ` serves these for Prometheus under ` + "`/metrics`" + ` of the page, beside what the Go runtime and the process tell
(` + "`go_…`, `process_…`" + `). With users in the configuration the role view may read them. Summaries are in seconds and have
the quantiles 0.5 and 0.99 over the whole run; ` + "`_sum` and `_count`" + ` give the mean of any while.

` + "```sh robot" + `
curl -s http://localhost:8080/metrics | grep kuai_safety_mode
curl -s http://localhost:8080/healthz
curl -s http://localhost:8080/readyz || true
` + "```" + `

- ` + "`/healthz`" + ` answers 200 while the process is alive, ` + "`/readyz`" + ` 200 while all that the configuration names works, and
  otherwise 503 with what is missing. Neither asks who you are.
- ` + "`/debug/pprof/`" + ` gives profiles to users of the roles operate and configure, and to nobody while there are no users:
  ` + "`go tool pprof http://ann:PASSWORD@localhost:8080/debug/pprof/profile`" + `.
- [deploy/grafana/kuai.json](../deploy/grafana/kuai.json) is a dashboard for Grafana (Dashboards, New, Import);
  [deploy/grafana/prometheus.yml](../deploy/grafana/prometheus.yml) is the job that feeds it.

| metric | kind | labels | what | when |
| --- | --- | --- | --- | --- |
`)
	for _, m := range daemon.Metrics() {
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&out, "| `kuai_%s` | %s | %s | %s | %s |\n", m.Name, m.Kind, labels, m.Help, m.When)
	}
	checkFile(t, "docs/metrics.md", out.String())
}
