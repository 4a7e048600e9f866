package dataset

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Version is the layout that is written and read.
const Version = "v3.0"

const (
	infoPath  = "meta/info.json"
	statsPath = "meta/stats.json"
	tasksPath = "meta/tasks.parquet"

	episodesPattern = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
	dataPattern     = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
	videoPattern    = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"

	// filesPerChunk is how many files a chunk folder holds.
	filesPerChunk = 1000
)

// Names of features.
const (
	featureState    = "observation.state"
	featureVelocity = "observation.velocity"
	featureEffort   = "observation.effort"
	featureAction   = "action"
	imagePrefix     = "observation.images."
)

// Info is meta/info.json.
type Info struct {
	CodebaseVersion  string             `json:"codebase_version"`
	RobotType        string             `json:"robot_type"`
	TotalEpisodes    int                `json:"total_episodes"`
	TotalFrames      int                `json:"total_frames"`
	TotalTasks       int                `json:"total_tasks"`
	ChunksSize       int                `json:"chunks_size"`
	DataFilesSizeMB  int                `json:"data_files_size_in_mb"`
	VideoFilesSizeMB int                `json:"video_files_size_in_mb"`
	FPS              int                `json:"fps"`
	Splits           map[string]string  `json:"splits"`
	DataPath         string             `json:"data_path"`
	VideoPath        string             `json:"video_path"`
	Features         map[string]Feature `json:"features"`
}

// Feature describes one column or video.
type Feature struct {
	DType string         `json:"dtype"`
	Shape []int          `json:"shape"`
	Names names          `json:"names"`
	Info  map[string]any `json:"info,omitempty"`
}

// names of the entries of a vector; some datasets list them under a heading.
type names []string

// UnmarshalJSON implements json.Unmarshaler; names that are no list of texts
// are none.
func (n *names) UnmarshalJSON(data []byte) error {
	*n = nil
	var list []string
	var headed map[string][]string
	switch {
	case json.Unmarshal(data, &list) == nil:
		*n = list
	case json.Unmarshal(data, &headed) == nil && len(headed) == 1:
		for _, list := range headed {
			*n = list
		}
	}
	return nil
}

func vectorFeature(names []string) Feature {
	return Feature{DType: "float32", Shape: []int{len(names)}, Names: names}
}

func scalarFeature(dtype string) Feature { return Feature{DType: dtype, Shape: []int{1}} }

func videoFeature(width, height, fps int) Feature {
	return Feature{
		DType: "video", Shape: []int{height, width, 3}, Names: []string{"height", "width", "channels"},
		Info: map[string]any{
			"video.height": height, "video.width": width, "video.codec": "h264", "video.pix_fmt": "yuv420p",
			"video.fps": fps, "video.channels": 3, "has_audio": false, "is_depth_map": false,
		},
	}
}

// expand fills a pattern of info.json: {chunk_index:03d} and its like. What
// comes out is a path below the dataset, whatever the pattern came with.
func expand(pattern, video string, chunk, file int64) (string, error) {
	if chunk < 0 || file < 0 {
		return "", fmt.Errorf("file %d of chunk %d", file, chunk)
	}
	out := strings.NewReplacer(
		"{video_key}", video, "{chunk_index:03d}", fmt.Sprintf("%03d", chunk), "{file_index:03d}", fmt.Sprintf("%03d", file),
	).Replace(pattern)
	if !local(out) {
		return "", fmt.Errorf("path %q leaves the dataset", out)
	}
	return out, nil
}

// local says whether p stays below the folder that it is joined to.
func local(p string) bool {
	return p != "" && !path.IsAbs(p) && path.Clean(p) == p && p != ".." && !strings.HasPrefix(p, "../") && !strings.ContainsAny(p, "\\\x00{}")
}

var cameraName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// checkCamera refuses names that cannot be a folder.
func checkCamera(name string) error {
	if !cameraName.MatchString(name) {
		return fmt.Errorf("camera %q: its name must be letters, digits, - _ and . to be a folder of the dataset", name)
	}
	return nil
}
