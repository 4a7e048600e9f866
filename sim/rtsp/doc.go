// Package rtsp serves rendered pictures the way an IP camera does: RTSP (RFC
// 7826 and its ancestor RFC 2326), RTP/JPEG (RFC 2435), and RTCP sender reports
// (RFC 3550 §6.4.1) from which a client recovers when each picture was captured.
//
// In: robot.Frame, RGB or JPEG, by Publish; its Camera is the path, its At the
// time of capture. Out: rtsp://host:port/<camera>, a path a camera, to any
// number of readers over TCP, or over UDP where the server was given ports.
// It listens on loopback only: the simulator stands where a camera does, and
// nobody asked for one on the network.
//
// Publish may be called from any goroutine, one at a time for each camera. It
// encodes, hands the packets to the readers' queues and never waits for the
// network: a reader that falls behind by a queue misses packets. When nobody watches a camera Publish does nothing, and Watched says so
// beforehand to whoever would render for it.
//
// A Server listens from New on and ends with Run's context or with Close; its
// goroutines are gone when Run has returned.
package rtsp
