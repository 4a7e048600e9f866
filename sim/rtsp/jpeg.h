// Encoding of one picture as JPEG with libjpeg. No state outlives a call, so
// any thread may call.
#ifndef KUAI_SIM_RTSP_JPEG_H_
#define KUAI_SIM_RTSP_JPEG_H_

#include <stddef.h>
#include <stdint.h>

enum { KUAI_JPEG_TEXT = 200 };

// Encodes width×height pixels, RGB without padding, as RTP/JPEG can carry it:
// baseline, 4:2:0, the Huffman tables of Annex K, no restart markers. On
// success gives 0 and a file that the caller frees; otherwise -1 and the reason
// in text.
int kuai_jpeg_encode(const uint8_t* rgb, int width, int height, int quality, uint8_t** file,
                     size_t* size, char text[KUAI_JPEG_TEXT]);

#endif  // KUAI_SIM_RTSP_JPEG_H_
