package daemon

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kuai-robot/kuai/actuation/control"
	"github.com/kuai-robot/kuai/perception/camera"
)

// metrics gives what /metrics serves: numbers that the stages keep anyway, read
// when somebody asks.
func (d *Daemon) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newCollector(d))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// collector reads the daemon for one scrape.
type collector struct {
	d        *Daemon
	families map[string]family
}

type family struct {
	desc *prometheus.Desc
	kind string
}

func newCollector(d *Daemon) *collector {
	c := &collector{d: d, families: map[string]family{}}
	for _, m := range Metrics() {
		c.families[m.Name] = family{prometheus.NewDesc("kuai_"+m.Name, m.Help, m.Labels, nil), m.Kind}
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, f := range c.families {
		out <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	g := &gathering{collector: c, out: out, d: c.d, status: c.d.loop.Status()}
	g.process()
	g.loop()
	g.safety()
	g.joints()
	g.queues()
	g.models()
	g.cameras()
	g.links()
	g.servos()
	g.voice()
}

// gathering is one scrape.
type gathering struct {
	*collector
	out    chan<- prometheus.Metric
	d      *Daemon
	status control.Status
}

// put tells one value. A name that is not in the table is a mistake in this
// file, which its test finds.
func (g *gathering) put(name string, value float64, labels ...string) {
	kind := prometheus.GaugeValue
	if g.families[name].kind == counterMetric {
		kind = prometheus.CounterValue
	}
	g.out <- prometheus.MustNewConstMetric(g.families[name].desc, kind, value, labels...)
}

func (g *gathering) count(name string, value uint64, labels ...string) {
	g.put(name, float64(value), labels...)
}

func (g *gathering) truth(name string, value bool, labels ...string) {
	number := 0.0
	if value {
		number = 1
	}
	g.put(name, number, labels...)
}

// summary tells how long something took, once it has happened.
func (g *gathering) summary(name string, all *control.Histogram, total time.Duration, labels ...string) {
	if n := all.Count(); n > 0 {
		g.out <- prometheus.MustNewConstSummary(g.families[name].desc, n, total.Seconds(),
			map[float64]float64{0.5: all.Quantile(0.5).Seconds(), 0.99: all.Quantile(0.99).Seconds()}, labels...)
	}
}

func (g *gathering) process() {
	g.put("info", 1, g.d.version, g.d.config.Robot.Name, g.d.config.Robot.Driver)
	g.truth("ready", g.d.ready() == nil)
}

func (g *gathering) loop() {
	s := &g.status
	g.count("loop_ticks_total", s.Ticks)
	g.count("loop_overruns_total", s.Overruns)
	g.put("loop_jitter_seconds", s.JitterP50.Seconds(), "0.5")
	g.put("loop_jitter_seconds", s.JitterP99.Seconds(), "0.99")
	for _, stage := range control.Stages() {
		g.put("loop_stage_seconds", g.d.loop.Quantile(stage, 0.5).Seconds(), stage.String(), "0.5")
		g.put("loop_stage_seconds", g.d.loop.Quantile(stage, 0.99).Seconds(), stage.String(), "0.99")
	}
	for name, n := range g.d.broken.counts() {
		g.count("panics_total", n, name)
	}
	g.count("chunks_refused_total", s.Refused)
	g.count("driver_errors_total", s.ReadErrors, "read")
	g.count("driver_errors_total", s.WriteErrors, "write")
	for call, t := range map[string]*took{"read": &g.d.stages.read, "write": &g.d.stages.write} {
		g.summary("driver_seconds", &t.all, time.Duration(t.total.Load()), call)
	}
}

func (g *gathering) safety() {
	t := g.d.tally
	for i, name := range modeNames {
		g.truth("safety_mode", int(g.status.Verdict.Mode) == i, name)
		g.count("safety_ticks_total", t.modes[i].Load(), name)
	}
	for i, name := range codeNames {
		g.count("safety_verdicts_total", t.verdicts[i].Load(), name)
	}
	for i, name := range limitNames {
		g.count("safety_limited_total", t.limits[i].Load(), name)
	}
}

func (g *gathering) joints() {
	for i := range g.d.description.Joints {
		name, s := g.d.description.Joints[i].Name, &g.status.State
		g.put("joint_position", s.Position[i], name)
		g.put("joint_effort", s.Effort[i], name)
		g.put("joint_temperature_celsius", s.Temperature[i], name)
	}
}

func (g *gathering) queues() {
	d := g.d
	drop := func(queue string, n uint64) { g.count("queue_dropped_total", n, queue) }
	drop("chunks", g.status.Dropped)
	drop("stop", d.stopped.Dropped())
	for _, c := range d.cameras {
		drop("camera/"+c.name, c.camera.Stats().Dropped)
	}
	if d.page != nil {
		s := d.page.Stats()
		drop("page_messages", s.DroppedMessages)
		drop("page_pictures", s.DroppedFrames)
		g.put("page_open", float64(s.Pages), "pages")
		g.put("page_open", float64(s.Watchers), "pictures")
		g.count("page_refused_total", s.Refused)
	}
	if d.recording != nil {
		c := d.recording.loop.Counts()
		drop("recording", c.Dropped)
		drop("recording_ticks", c.DroppedTicks)
		g.count("record_written_total", c.Written)
	}
}

// models tells of the stages that think, of the models in them, and of what the
// robot said.
func (g *gathering) models() {
	for _, s := range g.d.stages.list() {
		g.summary("stage_seconds", &s.stage.all, time.Duration(s.stage.total.Load()), s.name)
	}
	t := g.d.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, m := range t.models {
		g.summary("model_seconds", &m.all, time.Duration(m.total.Load()), name)
	}
	for key, n := range t.said {
		g.count("messages_total", n, key[0], key[1])
	}
}

func (g *gathering) cameras() {
	now := g.d.clock.Now()
	for _, c := range g.d.cameras {
		s := c.camera.Stats()
		g.count("camera_frames_total", s.Frames, c.name)
		g.count("camera_corrupt_total", s.Corrupt, c.name)
		g.count("camera_withheld_total", s.Withheld, c.name)
		g.count("camera_packets_lost_total", s.Lost, c.name)
		g.count("camera_connections_total", s.Attempts, c.name)
		g.truth("camera_live", s.State == camera.Live, c.name)
		if s.LastAt != 0 {
			g.put("camera_age_seconds", now.Sub(s.LastAt).Seconds(), c.name)
		}
	}
}

func (g *gathering) links() {
	for link, down := range map[string]*atomic.Pointer[error]{"main": &g.d.linkError, "stop": &g.d.stopLinkError} {
		g.truth("broker_connected", down.Load() == nil, link)
	}
	if g.d.links != nil {
		g.count("queue_dropped_total", g.d.links.main.Dropped(), "broker")
	}
}

func (g *gathering) servos() {
	if g.d.servos == nil {
		return
	}
	r := g.d.servos.Report()
	g.count("servo_answers_bad_total", r.Silent, "silent")
	g.count("servo_answers_bad_total", r.Spoilt, "spoilt")
	g.count("servo_answers_bad_total", r.Strange, "strange")
	g.count("servo_packets_total", r.Packets)
	g.count("servo_bus_opened_total", r.Reopened)
	for i := range r.Servos {
		g.put("servo_volts", r.Servos[i].Volts, r.Servos[i].Joint)
		g.put("servo_amperes", r.Servos[i].Ampers, r.Servos[i].Joint)
	}
}
