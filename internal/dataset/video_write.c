#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <stdio.h>
#include <stdlib.h>

#include "video.h"

struct kuai_mp4_writer {
  AVFormatContext* file;
  AVCodecContext* codec;
  AVStream* stream;
  AVFrame* frame;
  AVPacket* packet;
  struct SwsContext* scaler;
  int64_t next;
};

static void free_writer(kuai_mp4_writer* w) {
  if (w->file != NULL && w->file->pb != NULL) avio_closep(&w->file->pb);
  avformat_free_context(w->file);
  avcodec_free_context(&w->codec);
  av_frame_free(&w->frame);
  av_packet_free(&w->packet);
  sws_freeContext(w->scaler);
  free(w);
}

static int open_encoder(kuai_mp4_writer* w, const AVCodec* encoder, int width, int height,
                        int fps) {
  AVCodecContext* c = avcodec_alloc_context3(encoder);
  w->codec = c;
  if (c == NULL) return AVERROR(ENOMEM);
  c->width = width;
  c->height = height;
  c->pix_fmt = AV_PIX_FMT_YUV420P;
  c->time_base = (AVRational){1, fps};
  c->framerate = (AVRational){fps, 1};
  c->colorspace = AVCOL_SPC_SMPTE170M;
  c->color_range = AVCOL_RANGE_MPEG;
  // A key frame every other picture: training reads single pictures at random.
  c->gop_size = 2;
  c->max_b_frames = 0;
  c->thread_count = 1;
  av_opt_set(c->priv_data, "preset", "veryfast", 0);
  av_opt_set(c->priv_data, "crf", "23", 0);
  if (w->file->oformat->flags & AVFMT_GLOBALHEADER) c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  return avcodec_open2(c, encoder, NULL);
}

static int open_file(kuai_mp4_writer* w, const char* path) {
  w->stream = avformat_new_stream(w->file, NULL);
  if (w->stream == NULL) return AVERROR(ENOMEM);
  w->stream->time_base = w->codec->time_base;
  w->stream->avg_frame_rate = w->codec->framerate;
  int err = avcodec_parameters_from_context(w->stream->codecpar, w->codec);
  if (err < 0) return err;
  err = avio_open(&w->file->pb, path, AVIO_FLAG_WRITE);
  if (err < 0) return err;
  AVDictionary* options = NULL;
  av_dict_set(&options, "movflags", "+faststart", 0);
  err = avformat_write_header(w->file, &options);
  av_dict_free(&options);
  return err;
}

static int open_frame(kuai_mp4_writer* w) {
  w->frame = av_frame_alloc();
  w->packet = av_packet_alloc();
  if (w->frame == NULL || w->packet == NULL) return AVERROR(ENOMEM);
  w->frame->format = w->codec->pix_fmt;
  w->frame->width = w->codec->width;
  w->frame->height = w->codec->height;
  int err = av_frame_get_buffer(w->frame, 0);
  if (err < 0) return err;
  w->scaler = sws_getContext(w->frame->width, w->frame->height, AV_PIX_FMT_RGB24, w->frame->width,
                             w->frame->height, w->frame->format, SWS_BILINEAR, NULL, NULL, NULL);
  return w->scaler == NULL ? AVERROR(ENOMEM) : 0;
}

int kuai_mp4_create(kuai_mp4_writer** out, const char* path, int width, int height, int fps) {
  // Errors come back as numbers; FFmpeg and x264 would print as well.
  av_log_set_level(AV_LOG_QUIET);
  const AVCodec* encoder = avcodec_find_encoder_by_name("libx264");
  if (encoder == NULL) encoder = avcodec_find_encoder(AV_CODEC_ID_H264);
  if (encoder == NULL) return KUAI_MP4_NO_ENCODER;
  kuai_mp4_writer* w = calloc(1, sizeof(*w));
  if (w == NULL) return AVERROR(ENOMEM);
  int err = avformat_alloc_output_context2(&w->file, NULL, "mp4", path);
  if (err >= 0) err = open_encoder(w, encoder, width, height, fps);
  if (err >= 0) err = open_file(w, path);
  if (err >= 0) err = open_frame(w);
  if (err < 0) {
    free_writer(w);
    return err;
  }
  *out = w;
  return 0;
}

// Gives the encoder a frame, or NULL at the end, and the file what comes out.
static int encode(kuai_mp4_writer* w, const AVFrame* frame) {
  int err = avcodec_send_frame(w->codec, frame);
  while (err >= 0) {
    err = avcodec_receive_packet(w->codec, w->packet);
    if (err == AVERROR(EAGAIN) || err == AVERROR_EOF) return 0;
    if (err < 0) return err;
    w->packet->duration = 1;
    av_packet_rescale_ts(w->packet, w->codec->time_base, w->stream->time_base);
    w->packet->stream_index = w->stream->index;
    err = av_interleaved_write_frame(w->file, w->packet);
  }
  return err;
}

int kuai_mp4_add(kuai_mp4_writer* w, const uint8_t* rgb) {
  int err = av_frame_make_writable(w->frame);
  if (err < 0) return err;
  const uint8_t* planes[4] = {rgb};
  int strides[4] = {3 * w->frame->width};
  err = sws_scale(w->scaler, planes, strides, 0, w->frame->height, w->frame->data,
                  w->frame->linesize);
  if (err < 0) return err;
  w->frame->pts = w->next++;
  return encode(w, w->frame);
}

int kuai_mp4_end(kuai_mp4_writer* w, int finish) {
  int err = 0;
  if (finish) {
    err = encode(w, NULL);
    if (err >= 0) err = av_write_trailer(w->file);
    int closed = avio_closep(&w->file->pb);
    if (err >= 0) err = closed;
  }
  free_writer(w);
  return err;
}

void kuai_mp4_error(int code, char* text, size_t size) {
  switch (code) {
    case KUAI_MP4_NO_ENCODER:
      snprintf(text, size, "libavcodec has no H.264 encoder (install libavcodec-extra)");
      break;
    case KUAI_MP4_NO_VIDEO:
      snprintf(text, size, "no video that can be decoded is in the file");
      break;
    default:
      av_strerror(code, text, size);
  }
}
