#include "file.h"

// jpeglib.h needs FILE and size_t but does not bring them.
// clang-format off
#include <stdio.h>
#include <jpeglib.h>
#include <jerror.h>
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

// A warning says that a picture was patched up. Padding before a marker is the
// harmless one.
static void warn(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code != JWRN_EXTRANEOUS_DATA) fail(info);
}

static struct jpeg_error_mgr* handler(struct failure* f, char* text) {
  struct jpeg_error_mgr* manager = jpeg_std_error(&f->base);
  f->base.error_exit = fail;
  f->base.emit_message = warn;
  f->text = text;
  return manager;
}

int kuai_jpeg_encode(const uint8_t* rgb, int width, int height, int quality, uint8_t** file,
                     size_t* size, char text[KUAI_JPEG_TEXT]) {
  struct jpeg_compress_struct c = {0};
  struct failure f;
  // libjpeg gives the buffer it grew to only at the end.
  unsigned char* volatile out = NULL;
  unsigned long length = 0;
  c.err = handler(&f, text);
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

static void begin(struct jpeg_decompress_struct* d, const uint8_t* file, size_t size) {
  jpeg_create_decompress(d);
  jpeg_mem_src(d, file, size);
  jpeg_read_header(d, TRUE);
}

int kuai_jpeg_size(const uint8_t* file, size_t size, int* width, int* height,
                   char text[KUAI_JPEG_TEXT]) {
  struct jpeg_decompress_struct d = {0};
  struct failure f;
  d.err = handler(&f, text);
  if (setjmp(f.out)) {
    jpeg_destroy_decompress(&d);
    return -1;
  }
  begin(&d, file, size);
  *width = (int)d.image_width;
  *height = (int)d.image_height;
  jpeg_destroy_decompress(&d);
  return 0;
}

int kuai_jpeg_decode(const uint8_t* file, size_t size, int width, int height, uint8_t* rgb,
                     char text[KUAI_JPEG_TEXT]) {
  struct jpeg_decompress_struct d = {0};
  struct failure f;
  d.err = handler(&f, text);
  if (setjmp(f.out)) {
    jpeg_destroy_decompress(&d);
    return -1;
  }
  begin(&d, file, size);
  d.out_color_space = JCS_RGB;
  jpeg_start_decompress(&d);
  if ((int)d.output_width != width || (int)d.output_height != height || d.output_components != 3) {
    ERREXIT(&d, JERR_BAD_LENGTH);
  }
  while (d.output_scanline < d.output_height) {
    JSAMPROW row = rgb + (size_t)3 * width * d.output_scanline;
    jpeg_read_scanlines(&d, &row, 1);
  }
  jpeg_finish_decompress(&d);
  jpeg_destroy_decompress(&d);
  return 0;
}
