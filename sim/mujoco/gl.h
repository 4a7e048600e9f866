// An offscreen OpenGL context and MuJoCo's renderer on it. Everything here is
// called from the one thread that called kuai_gl_open.
#pragma once
#include "shim.h"

typedef enum { KUAI_GL_OSMESA = 0, KUAI_GL_EGL = 1 } kuai_gl_kind;

typedef struct kuai_gl kuai_gl;

// Makes a context of the kind and uploads the model's textures. Returns NULL
// with the reason in message. m must outlive the result.
kuai_gl *kuai_gl_open(kuai_gl_kind kind, const mjModel *m, int shadows, char *message);

// What draws: GL_RENDERER, valid until kuai_gl_close.
const char *kuai_gl_renderer(const kuai_gl *gl);

// Draws what camera sees of d into rgb, 3*width*height bytes, top row first.
// Returns 1 with the reason in message when it fails.
int kuai_gl_render(kuai_gl *gl, mjData *d, int camera, int width, int height, unsigned char *rgb,
                   char *message);

void kuai_gl_close(kuai_gl *gl);
