#include "gl.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The few declarations of OSMesa and EGL that are needed, so that neither has
// to be there to build: the library is loaded when a context is made. The
// numbers are those of the Khronos and Mesa headers.
enum {
  OSMESA_RGBA = 0x1908,
  GL_UNSIGNED_BYTE = 0x1401,
  GL_RENDERER = 0x1F01,
  EGL_PLATFORM_DEVICE = 0x313F,
  EGL_OPENGL_API = 0x30A2,
  EGL_NONE = 0x3038,
  EGL_RED_SIZE = 0x3024,
  EGL_GREEN_SIZE = 0x3023,
  EGL_BLUE_SIZE = 0x3022,
  EGL_DEPTH_SIZE = 0x3025,
  EGL_STENCIL_SIZE = 0x3026,
  EGL_SURFACE_TYPE = 0x3033,
  EGL_PBUFFER_BIT = 1,
  EGL_RENDERABLE_TYPE = 0x3040,
  EGL_OPENGL_BIT = 8,
  EGL_EXTENSIONS = 0x3055,
  DEVICES = 16,
};

struct kuai_gl {
  const mjModel *model;
  void *library;
  char renderer[128];

  void *osmesa;
  void (*osmesa_destroy)(void *);
  unsigned char pixels[4 * 16 * 16];  // OSMesa wants a buffer; MuJoCo draws into its own

  void *display, *context;
  unsigned (*egl_make_current)(void *, void *, void *, void *);
  unsigned (*egl_destroy)(void *, void *);
  unsigned (*egl_terminate)(void *);

  mjrContext con;
  mjvScene scene;
  mjvOption option;
  mjvPerturb perturb;
  int made;
};

static int fail(char *message, const char *what, const char *why) {
  snprintf(message, KUAI_MESSAGE, "%s: %s", what, why ? why : "unknown");
  return 1;
}

static void *load(const char *const *names, int flags) {
  void *library = NULL;
  for (; *names && !library; names++) library = dlopen(*names, RTLD_NOW | flags);
  return library;
}

static int open_osmesa(kuai_gl *gl, char *message) {
  static const char *const names[] = {"libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so", NULL};
  // Global, because MuJoCo looks the entry points up by name.
  gl->library = load(names, RTLD_GLOBAL);
  if (!gl->library) return fail(message, "OSMesa (package libosmesa6)", dlerror());
  void *(*create)(unsigned, int, int, int, void *) = dlsym(gl->library, "OSMesaCreateContextExt");
  unsigned char (*make_current)(void *, void *, unsigned, int, int) =
      dlsym(gl->library, "OSMesaMakeCurrent");
  gl->osmesa_destroy = dlsym(gl->library, "OSMesaDestroyContext");
  if (!create || !make_current || !gl->osmesa_destroy)
    return fail(message, "OSMesa", "a function is missing");
  gl->osmesa = create(OSMESA_RGBA, 24, 8, 0, NULL);
  if (!gl->osmesa) return fail(message, "OSMesa", "no context");
  if (!make_current(gl->osmesa, gl->pixels, GL_UNSIGNED_BYTE, 16, 16))
    return fail(message, "OSMesa", "the context cannot be made current");
  return 0;
}

typedef void *(*proc)(const char *);

// Finds a device that is a GPU: Mesa's software device has no render node.
static void *gpu(proc get) {
  unsigned (*query)(int, void **, int *) = get("eglQueryDevicesEXT");
  const char *(*string)(void *, int) = get("eglQueryDeviceStringEXT");
  void *devices[DEVICES];
  int n = 0;
  if (!query || !string || !query(DEVICES, devices, &n)) return NULL;
  for (int i = 0; i < n; i++) {
    const char *has = string(devices[i], EGL_EXTENSIONS);
    if (has && !strstr(has, "EGL_MESA_device_software")) return devices[i];
  }
  return NULL;
}

static int open_egl(kuai_gl *gl, char *message) {
  static const char *const names[] = {"libEGL.so.1", "libEGL.so", NULL};
  // Local until the context is there: MuJoCo would prefer it to OSMesa.
  gl->library = load(names, RTLD_LOCAL);
  if (!gl->library) return fail(message, "EGL", dlerror());
  proc get = dlsym(gl->library, "eglGetProcAddress");
  unsigned (*initialize)(void *, int *, int *) = dlsym(gl->library, "eglInitialize");
  unsigned (*bind)(unsigned) = dlsym(gl->library, "eglBindAPI");
  unsigned (*choose)(void *, const int *, void **, int, int *) =
      dlsym(gl->library, "eglChooseConfig");
  void *(*create)(void *, void *, void *, const int *) = dlsym(gl->library, "eglCreateContext");
  gl->egl_make_current = dlsym(gl->library, "eglMakeCurrent");
  gl->egl_destroy = dlsym(gl->library, "eglDestroyContext");
  gl->egl_terminate = dlsym(gl->library, "eglTerminate");
  if (!get || !initialize || !bind || !choose || !create || !gl->egl_make_current ||
      !gl->egl_destroy || !gl->egl_terminate)
    return fail(message, "EGL", "a function is missing");
  void *(*platform_display)(unsigned, void *, const int *) = get("eglGetPlatformDisplayEXT");
  void *device = gpu(get);
  if (!device || !platform_display) return fail(message, "EGL", "no GPU offers a display");
  gl->display = platform_display(EGL_PLATFORM_DEVICE, device, NULL);
  if (!gl->display || !initialize(gl->display, NULL, NULL)) {
    gl->display = NULL;
    return fail(message, "EGL", "the GPU's display cannot be opened");
  }
  static const int want[] = {EGL_SURFACE_TYPE,
                             EGL_PBUFFER_BIT,
                             EGL_RENDERABLE_TYPE,
                             EGL_OPENGL_BIT,
                             EGL_RED_SIZE,
                             8,
                             EGL_GREEN_SIZE,
                             8,
                             EGL_BLUE_SIZE,
                             8,
                             EGL_DEPTH_SIZE,
                             24,
                             EGL_STENCIL_SIZE,
                             8,
                             EGL_NONE};
  void *config = NULL;
  int n = 0;
  if (!choose(gl->display, want, &config, 1, &n) || n == 0)
    return fail(message, "EGL", "no fitting configuration");
  if (!bind(EGL_OPENGL_API)) return fail(message, "EGL", "no OpenGL");
  gl->context = create(gl->display, config, NULL, NULL);
  if (!gl->context) return fail(message, "EGL", "no context");
  if (!gl->egl_make_current(gl->display, NULL, NULL, gl->context))
    return fail(message, "EGL", "the context cannot be made current");
  return load(names, RTLD_GLOBAL) ? 0 : fail(message, "EGL", dlerror());
}

static int make(kuai_gl *gl, int shadows, char *message) {
  mjv_defaultOption(&gl->option);
  mjv_defaultPerturb(&gl->perturb);
  mjv_defaultScene(&gl->scene);
  mjr_defaultContext(&gl->con);
  if (kuai_gl_make(gl->model, &gl->scene, &gl->con, message)) return 1;
  gl->made = 1;
  mjr_setBuffer(mjFB_OFFSCREEN, &gl->con);
  if (gl->con.currentBuffer != mjFB_OFFSCREEN)
    return fail(message, "OpenGL", "no offscreen buffer");
  gl->scene.flags[mjRND_SHADOW] = shadows != 0;
  gl->scene.flags[mjRND_REFLECTION] = 0;
  // OSMesa exports OpenGL itself; EGL hands it out.
  proc get = dlsym(gl->library, "eglGetProcAddress");
  const char *(*string)(unsigned) = get ? get("glGetString") : dlsym(gl->library, "glGetString");
  const char *name = string ? string(GL_RENDERER) : NULL;
  snprintf(gl->renderer, sizeof gl->renderer, "%s", name ? name : "unknown");
  return 0;
}

kuai_gl *kuai_gl_open(kuai_gl_kind kind, const mjModel *m, int shadows, char *message) {
  kuai_gl *gl = calloc(1, sizeof *gl);
  message[0] = 0;
  if (!gl) {
    fail(message, "OpenGL", "out of memory");
    return NULL;
  }
  gl->model = m;
  int failed = kind == KUAI_GL_EGL ? open_egl(gl, message) : open_osmesa(gl, message);
  if (failed || make(gl, shadows, message)) {
    kuai_gl_close(gl);
    return NULL;
  }
  return gl;
}

const char *kuai_gl_renderer(const kuai_gl *gl) { return gl->renderer; }

// OpenGL's rows go up, pictures' rows go down.
static void flip(unsigned char *rgb, int width, int height) {
  unsigned char row[3 * 4096];
  size_t n = 3 * (size_t)width;
  for (int top = 0, bottom = height - 1; top < bottom; top++, bottom--) {
    memcpy(row, rgb + top * n, n);
    memcpy(rgb + top * n, rgb + bottom * n, n);
    memcpy(rgb + bottom * n, row, n);
  }
}

int kuai_gl_render(kuai_gl *gl, mjData *d, int camera, int width, int height, unsigned char *rgb,
                   char *message) {
  if (kuai_gl_draw(gl->model, d, &gl->option, &gl->perturb, camera, width, height, &gl->scene,
                   &gl->con, rgb, message))
    return 1;
  flip(rgb, width, height);
  return 0;
}

void kuai_gl_close(kuai_gl *gl) {
  if (gl->made) {
    mjr_freeContext(&gl->con);
    mjv_freeScene(&gl->scene);
  }
  if (gl->osmesa) gl->osmesa_destroy(gl->osmesa);
  if (gl->context) {
    gl->egl_make_current(gl->display, NULL, NULL, NULL);
    gl->egl_destroy(gl->display, gl->context);
  }
  if (gl->display) gl->egl_terminate(gl->display);
  // The library stays loaded: drivers keep threads and exit handlers.
  free(gl);
}
