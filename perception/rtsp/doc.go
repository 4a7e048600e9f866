// Package rtsp reads one track of an RTSP server (RFC 7826 and its ancestor RFC
// 2326), for cameras and for microphones, and says when each packet's content
// was captured.
//
// In: a URL, a function that picks a track. Out: RTP packets in order, each
// with a Stamp on the caller's robot.Clock. Play blocks until the context ends
// or the connection fails; it is called from one goroutine and calls back from
// one other. It does not reconnect: whoever owns the device decides when.
//
// Capture time comes from RTCP sender reports (RFC 3550 §6.4.1), which tie the
// track's RTP clock to the sender's wall clock. A sender whose wall clock is
// not ours, or that sends no report, gets the time of arrival less the queueing
// that is visible in the RTP clock; Stamp.Estimated then says so.
package rtsp
