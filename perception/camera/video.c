#include "video.h"

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

struct kuai_video {
  AVCodecContext* codec;
  AVPacket* packet;
  AVFrame* frame;
  struct SwsContext* scaler;
  // What scaler was last set to.
  int colorspace;
  int full_range;
};

kuai_video* kuai_video_open(int codec) {
  // Broken streams are counted by the caller; libav would print each one.
  av_log_set_level(AV_LOG_QUIET);
  const AVCodec* decoder =
      avcodec_find_decoder(codec == KUAI_H265 ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264);
  kuai_video* v = calloc(1, sizeof(*v));
  if (v == NULL || decoder == NULL) goto fail;
  v->codec = avcodec_alloc_context3(decoder);
  v->packet = av_packet_alloc();
  v->frame = av_frame_alloc();
  if (v->codec == NULL || v->packet == NULL || v->frame == NULL) goto fail;
  // One thread and low delay: a picture comes out as soon as it went in.
  v->codec->thread_count = 1;
  v->codec->flags |= AV_CODEC_FLAG_LOW_DELAY;
  if (avcodec_open2(v->codec, decoder, NULL) < 0) goto fail;
  return v;
fail:
  kuai_video_close(v);
  return NULL;
}

int kuai_video_send(kuai_video* v, const uint8_t* data, size_t size, int64_t stamp) {
  if (size > INT32_MAX) return AVERROR(EINVAL);
  int err = av_new_packet(v->packet, (int)size);
  if (err < 0) return err;
  memcpy(v->packet->data, data, size);
  v->packet->pts = stamp;
  err = avcodec_send_packet(v->codec, v->packet);
  av_packet_unref(v->packet);
  return err;
}

int kuai_video_receive(kuai_video* v, int* width, int* height, int64_t* stamp) {
  int err = avcodec_receive_frame(v->codec, v->frame);
  if (err == AVERROR(EAGAIN)) return 0;
  if (err < 0) return err;
  *width = v->frame->width;
  *height = v->frame->height;
  *stamp = v->frame->pts;
  return 1;
}

// Readies the scaler for the picture last received: its size, and how its
// colours are coded, which differs between cameras (ITU-R BT.601 or BT.709,
// studio or full range).
static int prepare_scaler(kuai_video* v) {
  const AVFrame* f = v->frame;
  struct SwsContext* before = v->scaler;
  v->scaler = sws_getCachedContext(v->scaler, f->width, f->height, f->format, f->width, f->height,
                                   AV_PIX_FMT_RGB24, SWS_BILINEAR, NULL, NULL, NULL);
  if (v->scaler == NULL) return AVERROR(ENOMEM);
  int full = f->color_range == AVCOL_RANGE_JPEG || f->format == AV_PIX_FMT_YUVJ420P ||
             f->format == AV_PIX_FMT_YUVJ422P || f->format == AV_PIX_FMT_YUVJ444P;
  if (v->scaler == before && v->colorspace == f->colorspace && v->full_range == full) return 0;
  v->colorspace = f->colorspace;
  v->full_range = full;
  // AVColorSpace and swscale's numbers for coefficients are the same ones.
  int err = sws_setColorspaceDetails(v->scaler, sws_getCoefficients(f->colorspace), full,
                                     sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
  return err < 0 ? AVERROR(EINVAL) : 0;
}

int kuai_video_rgb(kuai_video* v, uint8_t* rgb, size_t size) {
  const AVFrame* f = v->frame;
  if (f->width <= 0 || f->height <= 0 || size != (size_t)3 * f->width * f->height) {
    return AVERROR(EINVAL);
  }
  int err = prepare_scaler(v);
  if (err < 0) return err;
  // swscale may write up to a vector beyond a row of an unpadded picture, so
  // rows go through a buffer of libav's own making.
  int stride = (3 * f->width + 63) / 64 * 64 + 64;
  uint8_t* rows = av_malloc((size_t)stride * f->height);
  if (rows == NULL) return AVERROR(ENOMEM);
  uint8_t* planes[4] = {rows};
  int strides[4] = {stride};
  err = sws_scale(v->scaler, (const uint8_t* const*)f->data, f->linesize, 0, f->height, planes,
                  strides);
  if (err >= 0) {
    for (int y = 0; y < f->height; y++) {
      memcpy(rgb + (size_t)3 * f->width * y, rows + (size_t)stride * y, (size_t)3 * f->width);
    }
  }
  av_free(rows);
  return err < 0 ? err : 0;
}

void kuai_video_error(int code, char* text, size_t size) { av_strerror(code, text, size); }

void kuai_video_close(kuai_video* v) {
  if (v == NULL) return;
  sws_freeContext(v->scaler);
  av_frame_free(&v->frame);
  av_packet_free(&v->packet);
  avcodec_free_context(&v->codec);
  free(v);
}
