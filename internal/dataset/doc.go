// Package dataset writes recordings as LeRobotDataset v3 and reads such
// datasets back, for training with the lerobot package and its like.
//
//	meta/info.json      what there is: features, frames a second, counts
//	meta/stats.json     min, max, mean, std, count and quantiles of each feature
//	meta/tasks.parquet  the instructions
//	meta/episodes/      an episode a file: its task, its frames, its statistics
//	data/               an episode a file: a row for each frame
//	videos/<feature>/   an episode a file: H.264 in MP4
//
// An episode is the time from an instruction to its end. Export samples it at a
// fixed rate: the newest state and picture not later than the instant, and as
// action the position that the safety core commanded. Import makes a recording
// of a dataset, of ours or somebody else's.
//
// A crash costs the episode that is being written: every episode has files of
// its own, and what lies in meta is replaced whole. Statistics are computed
// while writing.
//
// Datasets that are read may come from anywhere: paths that leave the folder,
// counts that do not fit, damaged tables and videos are errors.
//
// FFmpeg (libavformat, libavcodec with an H.264 encoder) and OpenCV (faces) are
// linked. Everything here runs on the caller's goroutine.
package dataset
