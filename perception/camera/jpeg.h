// Decoding of one JPEG file with libjpeg. No state outlives a call, so any
// thread may call; buffers belong to the caller, no alignment is asked of them.
#ifndef KUAI_PERCEPTION_CAMERA_JPEG_H_
#define KUAI_PERCEPTION_CAMERA_JPEG_H_

#include <stddef.h>
#include <stdint.h>

enum { KUAI_JPEG_TEXT = 200 };

// Reads the headers. 0 on success; otherwise -1 and the reason in text.
int kuai_jpeg_size(const uint8_t* file, size_t size, int* width, int* height,
                   char text[KUAI_JPEG_TEXT]);

// Writes the picture as RGB, 3·width·height bytes without padding. 0 on
// success; otherwise -1 and the reason in text. A picture of which a part is
// missing or damaged is not a success.
int kuai_jpeg_rgb(const uint8_t* file, size_t size, int width, int height, uint8_t* rgb,
                  char text[KUAI_JPEG_TEXT]);

#endif  // KUAI_PERCEPTION_CAMERA_JPEG_H_
