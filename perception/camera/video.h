// Decoding of H.264 and H.265 with libavcodec, for one Go goroutine at a time.
//
// A kuai_video owns its codec, its scaler and the newest picture. Buffers that
// the caller passes are copied before a function returns; no alignment is
// asked of them.
#ifndef KUAI_PERCEPTION_CAMERA_VIDEO_H_
#define KUAI_PERCEPTION_CAMERA_VIDEO_H_

#include <stddef.h>
#include <stdint.h>

typedef struct kuai_video kuai_video;

enum { KUAI_H264 = 1, KUAI_H265 = 2 };

// Opens a decoder; NULL when libavcodec has none for the codec or no memory.
kuai_video* kuai_video_open(int codec);

// Feeds one access unit in Annex B form; stamp comes back with its picture.
// 0 on success, otherwise a libav error (negative).
int kuai_video_send(kuai_video* v, const uint8_t* data, size_t size, int64_t stamp);

// Takes the next decoded picture: 1 with width, height and stamp set, 0 when
// there is none yet, otherwise a libav error (negative).
int kuai_video_receive(kuai_video* v, int* width, int* height, int64_t* stamp);

// Writes the picture last received as RGB, 3·width·height bytes without
// padding. 0 on success, otherwise a libav error (negative).
int kuai_video_rgb(kuai_video* v, uint8_t* rgb, size_t size);

// Writes the words for an error into text, always terminated.
void kuai_video_error(int code, char* text, size_t size);

void kuai_video_close(kuai_video* v);

#endif  // KUAI_PERCEPTION_CAMERA_VIDEO_H_
