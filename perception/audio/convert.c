#include "convert.h"

#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

// The filter: a sinc under a Kaiser window of so many taps and places between
// two samples, which keeps what the lower rate cannot hold 80 dB down.
enum { taps = 64, places_log2 = 10, kaiser_beta = 8 };

static SwrContext* allocate(int from, int to) {
#if LIBSWRESAMPLE_VERSION_INT >= AV_VERSION_INT(4, 5, 100)
  AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
  SwrContext* c = NULL;
  int err = swr_alloc_set_opts2(&c, &mono, AV_SAMPLE_FMT_FLT, to, &mono, AV_SAMPLE_FMT_FLT, from, 0,
                                NULL);
  return err < 0 ? NULL : c;
#else  // FFmpeg before 5.1
  return swr_alloc_set_opts(NULL, AV_CH_LAYOUT_MONO, AV_SAMPLE_FMT_FLT, to, AV_CH_LAYOUT_MONO,
                            AV_SAMPLE_FMT_FLT, from, 0, NULL);
#endif
}

kuai_convert* kuai_convert_open(int from, int to) {
  SwrContext* c = allocate(from, to);
  if (c == NULL) return NULL;
  av_opt_set_int(c, "filter_size", taps, 0);
  av_opt_set_int(c, "phase_shift", places_log2, 0);
  av_opt_set_int(c, "exact_rational", 1, 0);
  av_opt_set_int(c, "filter_type", SWR_FILTER_TYPE_KAISER, 0);
  av_opt_set_double(c, "kaiser_beta", kaiser_beta, 0);
  av_opt_set_double(c, "cutoff", 0.93, 0);
  if (swr_init(c) < 0) swr_free(&c);
  return c;
}

int kuai_convert_room(kuai_convert* c, int n) { return swr_get_out_samples(c, n); }

int kuai_convert_run(kuai_convert* c, float* out, int room, const float* in, int n) {
  uint8_t* to[1] = {(uint8_t*)out};
  const uint8_t* from[1] = {(const uint8_t*)in};
  return swr_convert(c, to, room, in == NULL ? NULL : from, n);
}

int64_t kuai_convert_delay(kuai_convert* c, int64_t rate) { return swr_get_delay(c, rate); }

void kuai_convert_close(kuai_convert* c) { swr_free(&c); }
