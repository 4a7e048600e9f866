#include "opus.h"

#include <libavcodec/avcodec.h>
#include <libavutil/log.h>
#include <stdlib.h>
#include <string.h>

struct kuai_opus {
  AVCodecContext* codec;
  AVPacket* packet;
  AVFrame* frame;
};

kuai_opus* kuai_opus_open(void) {
  // Broken packets are counted by the caller; libav would print each one.
  av_log_set_level(AV_LOG_QUIET);
  const AVCodec* decoder = avcodec_find_decoder(AV_CODEC_ID_OPUS);
  kuai_opus* o = calloc(1, sizeof(*o));
  if (o == NULL || decoder == NULL) goto fail;
  o->codec = avcodec_alloc_context3(decoder);
  o->packet = av_packet_alloc();
  o->frame = av_frame_alloc();
  if (o->codec == NULL || o->packet == NULL || o->frame == NULL) goto fail;
  o->codec->sample_rate = KUAI_OPUS_RATE;
  o->codec->request_sample_fmt = AV_SAMPLE_FMT_FLTP;
  if (avcodec_open2(o->codec, decoder, NULL) < 0) goto fail;
  return o;
fail:
  kuai_opus_close(o);
  return NULL;
}

// Averages the planes of the frame into out.
static int mix(const AVFrame* f, float* out, int room) {
  if (f->format != AV_SAMPLE_FMT_FLTP || f->nb_samples < 0 || f->nb_samples > room)
    return AVERROR(EINVAL);
  // Opus over RTP has at most two channels (RFC 7587 §7).
  int channels = f->data[1] != NULL ? 2 : 1;
  const float* left = (const float*)f->data[0];
  const float* right = (const float*)f->data[channels - 1];
  for (int i = 0; i < f->nb_samples; i++) out[i] = 0.5f * (left[i] + right[i]);
  return f->nb_samples;
}

int kuai_opus_decode(kuai_opus* o, const uint8_t* data, size_t size, float* out, int room) {
  if (size == 0 || size > INT16_MAX) return AVERROR(EINVAL);
  int err = av_new_packet(o->packet, (int)size);
  if (err < 0) return err;
  memcpy(o->packet->data, data, size);
  err = avcodec_send_packet(o->codec, o->packet);
  av_packet_unref(o->packet);
  if (err < 0) return err;
  int n = 0;
  while ((err = avcodec_receive_frame(o->codec, o->frame)) == 0) {
    int got = mix(o->frame, out + n, room - n);
    if (got < 0) return got;
    n += got;
  }
  return err == AVERROR(EAGAIN) ? n : err;
}

void kuai_opus_close(kuai_opus* o) {
  if (o == NULL) return;
  av_frame_free(&o->frame);
  av_packet_free(&o->packet);
  avcodec_free_context(&o->codec);
  free(o);
}
