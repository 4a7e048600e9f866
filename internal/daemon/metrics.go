package daemon

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kuai-robot/kuai/actuation/feetech"
	"github.com/kuai-robot/kuai/actuation/safety"
)

// metrics gives what /metrics serves: numbers that the stages keep anyway, read
// when somebody asks.
func (d *Daemon) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counter := func(name, help string, labels prometheus.Labels, read func() float64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "kuai_" + name, Help: help, ConstLabels: labels}, read))
	}
	gauge := func(name, help string, labels prometheus.Labels, read func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "kuai_" + name, Help: help, ConstLabels: labels}, read))
	}
	counter("loop_ticks_total", "Ticks of the control loop.", nil, func() float64 { return float64(d.loop.Status().Ticks) })
	counter("loop_overruns_total", "Ticks that ended after the next was due.", nil, func() float64 { return float64(d.loop.Status().Overruns) })
	gauge("loop_jitter_p99_seconds", "How late the tick is that is later than 99 of 100.", nil, func() float64 { return d.loop.Status().JitterP99.Seconds() })
	counter("chunks_dropped_total", "Chunks that a newer one replaced before the loop saw them.", nil, func() float64 { return float64(d.loop.Status().Dropped) })
	counter("chunks_refused_total", "Chunks that made no sense.", nil, func() float64 { return float64(d.loop.Status().Refused) })
	counter("driver_errors_total", "Failed calls of the driver.", prometheus.Labels{"call": "read"}, func() float64 { return float64(d.loop.Status().ReadErrors) })
	counter("driver_errors_total", "Failed calls of the driver.", prometheus.Labels{"call": "write"}, func() float64 { return float64(d.loop.Status().WriteErrors) })
	for _, mode := range []safety.Mode{safety.Off, safety.Held, safety.Moving, safety.Stopped, safety.Fault} {
		gauge("safety_mode", "1 for the mode that the safety core is in.", prometheus.Labels{"mode": mode.String()}, func() float64 {
			if d.loop.Status().Verdict.Mode == mode {
				return 1
			}
			return 0
		})
	}
	if d.servos != nil {
		for fault, read := range map[string]func(feetech.Counters) uint64{
			"silent":  func(c feetech.Counters) uint64 { return c.Silent },
			"spoilt":  func(c feetech.Counters) uint64 { return c.Spoilt },
			"strange": func(c feetech.Counters) uint64 { return c.Strange },
		} {
			counter("servo_answers_bad_total", "Answers of servos that did not come, came with a wrong checksum, or nobody had asked for.",
				prometheus.Labels{"fault": fault}, func() float64 { return float64(read(d.servos.Report().Counters)) })
		}
		counter("servo_packets_total", "Packets sent on the servo bus.", nil, func() float64 { return float64(d.servos.Report().Packets) })
		counter("servo_bus_opened_total", "How often the port of the servo bus was opened.", nil, func() float64 { return float64(d.servos.Report().Reopened) })
		for i, s := range d.servos.Report().Servos {
			labels := prometheus.Labels{"joint": s.Joint}
			gauge("servo_volts", "Supply of a servo.", labels, func() float64 { return d.servos.Report().Servos[i].Volts })
			gauge("servo_amperes", "Current of a servo.", labels, func() float64 { return d.servos.Report().Servos[i].Ampers })
		}
	}
	for _, c := range d.cameras {
		labels := prometheus.Labels{"camera": c.name}
		counter("camera_frames_total", "Pictures delivered.", labels, func() float64 { return float64(c.camera.Stats().Frames) })
		counter("camera_dropped_total", "Pictures overtaken by a newer one before decoding.", labels, func() float64 { return float64(c.camera.Stats().Dropped) })
		counter("camera_corrupt_total", "Pictures that could not be decoded.", labels, func() float64 { return float64(c.camera.Stats().Corrupt) })
		counter("camera_packets_lost_total", "Packets that never came.", labels, func() float64 { return float64(c.camera.Stats().Lost) })
	}
	counter("broker_dropped_total", "Messages that were not sent because the broker was away or the queue full.", nil, func() float64 { return float64(d.links.main.Dropped()) })
	if d.recording != nil {
		counter("record_dropped_total", "Samples that were not recorded.", nil, func() float64 {
			c := d.recording.loop.Counts()
			return float64(c.Dropped + c.DroppedTicks)
		})
		counter("record_written_total", "Samples recorded.", nil, func() float64 { return float64(d.recording.loop.Counts().Written) })
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}
