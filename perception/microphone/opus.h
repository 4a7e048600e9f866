// Decoding of Opus with libavcodec, for one Go goroutine at a time.
//
// A kuai_opus owns its codec and the newest frame. Bytes that the caller passes
// are copied before a function returns; no alignment is asked of them.
#ifndef KUAI_PERCEPTION_MICROPHONE_OPUS_H_
#define KUAI_PERCEPTION_MICROPHONE_OPUS_H_

#include <stddef.h>
#include <stdint.h>

typedef struct kuai_opus kuai_opus;

// The rate of what comes out, and most samples of a packet: 120 ms.
enum { KUAI_OPUS_RATE = 48000, KUAI_OPUS_MOST = KUAI_OPUS_RATE * 120 / 1000 };

// Opens a decoder; NULL when libavcodec has none or no memory.
kuai_opus* kuai_opus_open(void);

// Decodes one packet to mono samples: gives how many were written to out, which
// has room for so many, or a libav error (negative).
int kuai_opus_decode(kuai_opus* o, const uint8_t* data, size_t size, float* out, int room);

void kuai_opus_close(kuai_opus* o);

#endif  // KUAI_PERCEPTION_MICROPHONE_OPUS_H_
