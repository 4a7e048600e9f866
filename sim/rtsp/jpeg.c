#include "jpeg.h"

// jpeglib.h needs FILE and size_t but does not bring them.
// clang-format off
#include <stdio.h>
#include <jpeglib.h>
// clang-format on
#include <setjmp.h>
#include <stdlib.h>

struct failure {
  struct jpeg_error_mgr base;
  jmp_buf out;
  char* text;
};

static void fail(j_common_ptr info) {
  struct failure* f = (struct failure*)info->err;
  char message[JMSG_LENGTH_MAX];
  info->err->format_message(info, message);
  snprintf(f->text, KUAI_JPEG_TEXT, "%s", message);
  longjmp(f->out, 1);
}

int kuai_jpeg_encode(const uint8_t* rgb, int width, int height, int quality, uint8_t** file,
                     size_t* size, char text[KUAI_JPEG_TEXT]) {
  struct jpeg_compress_struct c = {0};
  struct failure f;
  // libjpeg gives the buffer it grew to only at the end.
  unsigned char* volatile out = NULL;
  unsigned long length = 0;
  c.err = jpeg_std_error(&f.base);
  f.base.error_exit = fail;
  f.text = text;
  if (setjmp(f.out)) {
    jpeg_destroy_compress(&c);
    free(out);
    return -1;
  }
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, (unsigned char**)&out, &length);
  c.image_width = width;
  c.image_height = height;
  c.input_components = 3;
  c.in_color_space = JCS_RGB;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, quality, TRUE);
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < c.image_height) {
    JSAMPROW row = (JSAMPROW)(rgb + (size_t)3 * width * c.next_scanline);
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  *file = out;
  *size = length;
  return 0;
}
