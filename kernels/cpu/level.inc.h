// One level of kernels: every operator, compiled for VW lanes. OPS names the
// table of operators that results.
#include "vec.inc.h"
//
#include "tiles.inc.h"
//
#include "blocks.inc.h"
//
#include "multiply.inc.h"
//
#include "prepare.inc.h"
//
#include "product.inc.h"
//
#include "rows.inc.h"
//
#include "attention.inc.h"
//
#include "signal.inc.h"

const kc_run_op OPS[KC_OPS] = {
    [KC_PRODUCT] = run_product,
    [KC_NORM] = run_norm,
    [KC_ROPE_TABLE] = run_rope_table,
    [KC_ROPE] = run_rope,
    [KC_STORE] = run_store,
    [KC_ATTENTION] = run_attention,
    [KC_SOFTMAX] = run_softmax,
    [KC_LOGPROB] = run_logprob,
    [KC_BINARY] = run_binary,
    [KC_ACTIVATE] = run_activate,
    [KC_EMBED] = run_embed,
    [KC_GATHER] = run_gather,
    [KC_COPY] = run_copy,
    [KC_PAD] = run_pad,
    [KC_MEAN] = run_mean,
    [KC_WINDOWS] = run_windows,
    [KC_MAX_POOL] = run_max_pool,
    [KC_LSTM] = run_lstm,
    [KC_RESIZE] = run_resize,
    [KC_LOG_POWER] = run_log_power,
    [KC_SAMPLE] = run_sample,
};
