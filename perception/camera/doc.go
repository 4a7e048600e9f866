// Package camera turns every kind of camera into the same stream of
// robot.Frame: network cameras over RTSP (RTP/JPEG after RFC 2435, H.264 and
// H.265 through libavcodec), USB cameras and video files through OpenCV.
//
// In: one Config a camera, a robot.Clock, and two callbacks. Out: frames, RGB,
// stamped with the time of capture; Reports whenever the camera comes, freezes
// or goes, with the reason in words. Run blocks until its context ends (or a
// file does); it connects again after every failure, waiting 250 ms at first
// and never more than 5 s. Both callbacks are called from goroutines that Run
// owns, never two at a time each, and must return soon: put the frame in a
// mailbox. Nothing is delivered after Run has returned.
//
// When pictures come faster than they can be decoded the older ones are
// dropped and counted, so a frame is never late because of a queue. Pictures
// that cannot be decoded are counted as corrupt and skipped. A camera that
// sends nothing for Config.Freeze is reported frozen and connected anew; one
// that sends the same picture for Config.Still is reported frozen and its
// frames are withheld until the picture changes, so whoever reads them sees
// their age grow.
//
// Capture time: RTSP by RTCP sender reports (package rtsp); USB by the
// driver's stamp of the buffer, mapped by the least delay seen; files by
// playing at their own rate. Frame.Estimated says when the time is not the
// camera's own.
package camera
