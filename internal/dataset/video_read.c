#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/log.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

#include "video.h"

struct kuai_mp4_reader {
  AVFormatContext* file;
  AVCodecContext* codec;
  AVFrame* frame;
  AVPacket* packet;
  struct SwsContext* scaler;
  int stream;
  int draining;
};

static int open_decoder(kuai_mp4_reader* r) {
  const AVCodec* decoder = NULL;
  r->stream = av_find_best_stream(r->file, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (r->stream < 0 || decoder == NULL) return KUAI_MP4_NO_VIDEO;
  r->codec = avcodec_alloc_context3(decoder);
  r->frame = av_frame_alloc();
  r->packet = av_packet_alloc();
  if (r->codec == NULL || r->frame == NULL || r->packet == NULL) return AVERROR(ENOMEM);
  int err = avcodec_parameters_to_context(r->codec, r->file->streams[r->stream]->codecpar);
  if (err < 0) return err;
  r->codec->thread_count = 1;
  // A file from outside must not make the decoder ask for gigabytes.
  r->codec->max_pixels = (int64_t)8192 * 8192;
  return avcodec_open2(r->codec, decoder, NULL);
}

int kuai_mp4_open(kuai_mp4_reader** out, const char* path) {
  av_log_set_level(AV_LOG_QUIET);
  kuai_mp4_reader* r = calloc(1, sizeof(*r));
  if (r == NULL) return AVERROR(ENOMEM);
  AVDictionary* options = NULL;
  // Nothing that the file names is opened, and nothing but MP4 is guessed.
  av_dict_set(&options, "protocol_whitelist", "file", 0);
  int err = avformat_open_input(&r->file, path, av_find_input_format("mov"), &options);
  av_dict_free(&options);
  if (err >= 0) err = avformat_find_stream_info(r->file, NULL);
  if (err >= 0) err = open_decoder(r);
  if (err < 0) {
    kuai_mp4_close(r);
    return err;
  }
  *out = r;
  return 0;
}

// Gives the decoder the next packet of the track, or says that there is none.
static int feed(kuai_mp4_reader* r) {
  for (;;) {
    int err = av_read_frame(r->file, r->packet);
    if (err == AVERROR_EOF) {
      r->draining = 1;
      return avcodec_send_packet(r->codec, NULL);
    }
    if (err < 0) return err;
    if (r->packet->stream_index == r->stream) break;
    av_packet_unref(r->packet);
  }
  int err = avcodec_send_packet(r->codec, r->packet);
  av_packet_unref(r->packet);
  return err;
}

int kuai_mp4_next(kuai_mp4_reader* r, int* width, int* height, double* seconds) {
  for (;;) {
    int err = avcodec_receive_frame(r->codec, r->frame);
    if (err == AVERROR_EOF) return 0;
    if (err == AVERROR(EAGAIN)) {
      if (r->draining) return 0;
      err = feed(r);
      if (err < 0) return err;
      continue;
    }
    if (err < 0) return err;
    const AVRational base = r->file->streams[r->stream]->time_base;
    *width = r->frame->width;
    *height = r->frame->height;
    *seconds = (double)r->frame->best_effort_timestamp * base.num / base.den;
    return 1;
  }
}

int kuai_mp4_rgb(kuai_mp4_reader* r, uint8_t* rgb, size_t size) {
  const AVFrame* f = r->frame;
  if (f->width <= 0 || f->height <= 0 || size != (size_t)3 * f->width * f->height) {
    return AVERROR(EINVAL);
  }
  r->scaler = sws_getCachedContext(r->scaler, f->width, f->height, f->format, f->width, f->height,
                                   AV_PIX_FMT_RGB24, SWS_BILINEAR, NULL, NULL, NULL);
  if (r->scaler == NULL) return AVERROR(EINVAL);
  // swscale may write up to a vector beyond a row of an unpadded picture, so
  // rows go through a buffer with room.
  int stride = (3 * f->width + 63) / 64 * 64 + 64;
  uint8_t* rows = av_malloc((size_t)stride * f->height);
  if (rows == NULL) return AVERROR(ENOMEM);
  uint8_t* planes[4] = {rows};
  int strides[4] = {stride};
  int err = sws_scale(r->scaler, (const uint8_t* const*)f->data, f->linesize, 0, f->height, planes,
                      strides);
  for (int y = 0; err >= 0 && y < f->height; y++) {
    memcpy(rgb + (size_t)3 * f->width * y, rows + (size_t)stride * y, (size_t)3 * f->width);
  }
  av_free(rows);
  return err < 0 ? err : 0;
}

void kuai_mp4_close(kuai_mp4_reader* r) {
  if (r == NULL) return;
  avformat_close_input(&r->file);
  avcodec_free_context(&r->codec);
  av_frame_free(&r->frame);
  av_packet_free(&r->packet);
  sws_freeContext(r->scaler);
  free(r);
}
