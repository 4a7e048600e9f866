// Package web serves the page: live cameras, the plan as it unfolds, joints,
// an input line and a stop button.
//
// The page is TypeScript in web/src; make web builds it into page/, which is
// committed and embedded, so that building kuai needs no Node. Its views are
// functions of the newest message, for which Preact (4 kB) pays: the only other
// part that it is made of.
//
// In come the messages that the daemon publishes (Server.Publish, the same
// bytes as over MQTT) and the pictures of its cameras (Server.Show). Out to the
// daemon, through Steering, goes what a person asks for. Neither Publish nor
// Show ever blocks: a browser that reads slowly gets the newest message of each
// topic and the newest picture, and what it missed is counted.
//
// What a browser can reach:
//
//	GET  /                   the page; style, scripts and pictures below it
//	GET  /ws                 WebSocket, text frames {"topic","payload"}: the
//	                         topics of package topics in both directions, by
//	                         their name below kuai/v1/<robot>/, and first a
//	                         "hello" that says what robot this is
//	GET  /ws/camera/NAME     WebSocket, one binary frame a picture: capture time
//	                         (float64, seconds since 1970, little endian), then a
//	                         JPEG file; the browser answers each with a message,
//	                         and no more than two are under way
//	GET  /ws/talk            WebSocket, push-to-talk: see below
//	GET  /camera/NAME.mjpg   the pictures as multipart/x-mixed-replace
//	GET  /camera/NAME.jpg    the newest picture
//	POST /stop               stop the robot; works without a script
//	GET  /healthz, /readyz   200 when alive, 200 when ready
//	GET  /metrics            what the daemon gives
//	GET  /debug/pprof/       profiles of the process, for users who may operate
//	                         or configure; not there while access is open
//
// While somebody holds the talk button the page sends, on /ws/talk,
//
//	text    {"talk":"start"}
//	binary  time of capture of the first sample (float64, seconds since 1970,
//	        little endian), then 16-bit samples, little endian, mono, 16 kHz;
//	        about 20 ms each, a second at most
//	text    {"talk":"end"}
//
// and the server answers in text: {"talk":"listening"}, {"talk":"ended"}, or
// {"talk":"refused","reason":"…"}. One page talks at a time, for at most 30 s.
// Each piece goes to Options.Talk as a Speech; the last of a press has End set,
// and Cut too when nobody let go: the page fell silent for 2 s, closed, or the
// bound was reached. The role that may send an instruction may talk. Without
// Options.Talk the hello has "no_talk", the reason, and the button is hidden.
//
// One page steers by hand at a time, and falling silent gives that up. Anybody
// may stop.
//
// Who may do what is broker.Access, the same as over MQTT: a password (HTTP
// basic authentication) or a client certificate. A browser that has shown either
// gets a cookie, because some browsers open no WebSocket with a password.
// Requests that another web site made the browser send are refused by their
// Origin, and those under a name that is not this machine's by their Host (DNS
// rebinding). The page loads nothing from other hosts, by its content security
// policy.
//
// All methods of Server may be called from any goroutine. Run serves until its
// context ends and leaves no goroutine behind.
package web
