package daemon

// Metric is one family of /metrics.
type Metric struct {
	// Name is without "kuai_".
	Name string
	// Kind is counter, gauge or summary (seconds, with quantiles 0.5 and 0.99).
	Kind   string
	Labels []string
	Help   string
	// When says what must be there for the metric to be; empty: it always is.
	When string
}

const (
	counterMetric = "counter"
	gaugeMetric   = "gauge"
	summaryMetric = "summary"
)

// Metrics lists what /metrics tells, beside what the Go runtime and the process
// tell of themselves.
func Metrics() []Metric {
	withAgent, withPage, withServos := "with a runner", "with a page", "with a servo bus"
	return append([]Metric{
		{"info", gaugeMetric, []string{"version", "robot", "driver"}, "1; the labels say what runs.", ""},
		{"ready", gaugeMetric, nil, "1 when /readyz says so.", ""},

		{"loop_ticks_total", counterMetric, nil, "Ticks of the control loop.", ""},
		{"loop_overruns_total", counterMetric, nil, "Ticks that ended after the next was due.", ""},
		{"loop_jitter_seconds", gaugeMetric, []string{"quantile"}, "How late ticks began.", ""},
		{"loop_stage_seconds", gaugeMetric, []string{"stage", "quantile"}, "What a tick takes to read the joints, decide, and write the command.", ""},
		{"panics_total", counterMetric, []string{"part"}, "Panics of a part of the program; the robot was stopped for each.", "once one has panicked"},
		{"chunks_refused_total", counterMetric, nil, "Chunks that made no sense.", ""},
		{"driver_seconds", summaryMetric, []string{"call"}, "How long a read or write of the driver took.", ""},
		{"driver_errors_total", counterMetric, []string{"call"}, "Failed calls of the driver.", ""},

		{"safety_mode", gaugeMetric, []string{"mode"}, "1 for the mode that the safety core is in.", ""},
		{"safety_ticks_total", counterMetric, []string{"mode"}, "Ticks spent in each mode.", ""},
		{"safety_verdicts_total", counterMetric, []string{"code"}, "How often the safety core came to a verdict that it had not the tick before.", ""},
		{"safety_limited_total", counterMetric, []string{"limit"}, "Ticks in which a limit changed the command.", ""},

		{"joint_position", gaugeMetric, []string{"joint"}, "Where a joint is, rad or m.", ""},
		{"joint_effort", gaugeMetric, []string{"joint"}, "What a joint exerts, N·m or N.", ""},
		{"joint_temperature_celsius", gaugeMetric, []string{"joint"}, "How warm a joint is.", ""},

		{"queue_dropped_total", counterMetric, []string{"queue"}, "What a newer one replaced, or what found its queue full: chunks, camera/NAME, broker, page_messages, page_pictures, recording, recording_ticks, stop.", ""},
		{"stage_seconds", summaryMetric, []string{"stage"}, "The stages from a picture to the command that follows from it: capture, score, chunk, command.", withAgent},
		{"model_seconds", summaryMetric, []string{"model"}, "How long a model worked for one answer.", "once a model has answered"},
		{"messages_total", counterMetric, []string{"topic", "kind"}, "Messages that the robot said, by topic; of events, by kind.", "once one was said"},

		{"camera_frames_total", counterMetric, []string{"camera"}, "Pictures delivered.", "with a camera"},
		{"camera_age_seconds", gaugeMetric, []string{"camera"}, "How old the newest picture is.", "with a camera"},
		{"camera_live", gaugeMetric, []string{"camera"}, "1 while pictures come.", "with a camera"},
		{"camera_corrupt_total", counterMetric, []string{"camera"}, "Pictures that could not be decoded.", "with a camera"},
		{"camera_withheld_total", counterMetric, []string{"camera"}, "Pictures that were the very same for too long.", "with a camera"},
		{"camera_packets_lost_total", counterMetric, []string{"camera"}, "Packets that never came.", "with a camera"},
		{"camera_connections_total", counterMetric, []string{"camera"}, "Connections that were tried.", "with a camera"},

		{"broker_connected", gaugeMetric, []string{"link"}, "1 while the link to the broker is up: main, stop.", ""},
		{"page_open", gaugeMetric, []string{"what"}, "Open sockets: pages, pictures.", withPage},
		{"page_refused_total", counterMetric, nil, "Requests and messages of browsers that were refused.", withPage},
		{"record_written_total", counterMetric, nil, "Samples recorded.", "while recording"},

		{"servo_answers_bad_total", counterMetric, []string{"fault"}, "Answers of servos that did not come (silent), came with a wrong checksum (spoilt), or nobody had asked for (strange).", withServos},
		{"servo_packets_total", counterMetric, nil, "Packets sent on the servo bus.", withServos},
		{"servo_bus_opened_total", counterMetric, nil, "How often the port of the servo bus was opened.", withServos},
		{"servo_volts", gaugeMetric, []string{"joint"}, "Supply of a servo.", withServos},
		{"servo_amperes", gaugeMetric, []string{"joint"}, "Current of a servo.", withServos},
	}, voiceMetrics()...)
}
