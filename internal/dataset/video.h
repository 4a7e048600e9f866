// Writing and reading of MP4 files with FFmpeg, for one goroutine at a time.
//
// A writer or reader owns all that it opened until it is closed. Buffers that
// the caller passes are copied before a function returns; no alignment is asked
// of them. Results below zero are FFmpeg errors, kuai_mp4_error gives the words.
#ifndef KUAI_INTERNAL_DATASET_VIDEO_H_
#define KUAI_INTERNAL_DATASET_VIDEO_H_

#include <stddef.h>
#include <stdint.h>

typedef struct kuai_mp4_writer kuai_mp4_writer;
typedef struct kuai_mp4_reader kuai_mp4_reader;

enum { KUAI_MP4_NO_ENCODER = -1000001, KUAI_MP4_NO_VIDEO = -1000002 };

// Begins an H.264 file of width×height pictures, both even, fps a second.
int kuai_mp4_create(kuai_mp4_writer** out, const char* path, int width, int height, int fps);

// Adds a picture, RGB without padding.
int kuai_mp4_add(kuai_mp4_writer* w, const uint8_t* rgb);

// Ends the file, closes it and frees w. With finish 0 the file stays unfinished.
int kuai_mp4_end(kuai_mp4_writer* w, int finish);

// Opens a local MP4 file and its first video track.
int kuai_mp4_open(kuai_mp4_reader** out, const char* path);

// Decodes the next picture: 1 with its size and time, s; 0 at the end.
int kuai_mp4_next(kuai_mp4_reader* r, int* width, int* height, double* seconds);

// Writes the picture decoded last as RGB, 3·width·height bytes.
int kuai_mp4_rgb(kuai_mp4_reader* r, uint8_t* rgb, size_t size);

void kuai_mp4_close(kuai_mp4_reader* r);

void kuai_mp4_error(int code, char* text, size_t size);

#endif  // KUAI_INTERNAL_DATASET_VIDEO_H_
