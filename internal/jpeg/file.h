// JPEG files from pixels and back with libjpeg. No state outlives a call, so
// any thread may call; no alignment is asked of buffers. Each function gives 0
// on success, otherwise -1 and the reason in text.
#ifndef KUAI_INTERNAL_JPEG_FILE_H_
#define KUAI_INTERNAL_JPEG_FILE_H_

#include <stddef.h>
#include <stdint.h>

enum { KUAI_JPEG_TEXT = 200 };

// Encodes width×height pixels, RGB without padding, baseline 4:2:0. The caller
// frees the file.
int kuai_jpeg_encode(const uint8_t* rgb, int width, int height, int quality, uint8_t** file,
                     size_t* size, char text[KUAI_JPEG_TEXT]);

// Reads the size from the headers.
int kuai_jpeg_size(const uint8_t* file, size_t size, int* width, int* height,
                   char text[KUAI_JPEG_TEXT]);

// Writes the picture as RGB, 3·width·height bytes without padding. A picture
// of which a part is missing or damaged is not a success.
int kuai_jpeg_decode(const uint8_t* file, size_t size, int width, int height, uint8_t* rgb,
                     char text[KUAI_JPEG_TEXT]);

#endif  // KUAI_INTERNAL_JPEG_FILE_H_
