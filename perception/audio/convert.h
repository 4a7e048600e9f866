// Another sample rate with libswresample, for one Go goroutine at a time.
//
// A kuai_convert owns its state; buffers are the caller's and are not kept.
#ifndef KUAI_PERCEPTION_AUDIO_CONVERT_H_
#define KUAI_PERCEPTION_AUDIO_CONVERT_H_

#include <stdint.h>

typedef struct SwrContext kuai_convert;

// Opens a converter of mono floats; NULL when libswresample cannot.
kuai_convert* kuai_convert_open(int from, int to);

// How many samples come out at most when n more go in.
int kuai_convert_room(kuai_convert* c, int n);

// Converts n samples, or with in NULL gives what is left; gives how many were
// written to out, which has room for so many, or a libav error (negative).
int kuai_convert_run(kuai_convert* c, float* out, int room, const float* in, int n);

// How many samples of the first rate went in and have not come out.
int64_t kuai_convert_delay(kuai_convert* c, int64_t rate);

void kuai_convert_close(kuai_convert* c);

#endif  // KUAI_PERCEPTION_AUDIO_CONVERT_H_
