#include "shim.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

// MuJoCo calls the handler on the thread that met the error. The Go side never
// appears between a guard and the handler, so the jump crosses C frames only.
static _Thread_local jmp_buf *guard;
static _Thread_local char *guard_message;

static void on_message(const mjLogMessage *m) {
  if (m->level < mjLOG_WARNING) return;
  if (guard_message) {
    snprintf(guard_message, KUAI_MESSAGE, "%s", m->subject);
  }
  if (m->level >= mjLOG_ERROR) {
    if (guard) longjmp(*guard, 1);
    // Outside of any call from Go there is nobody to tell; MuJoCo aborts.
    fprintf(stderr, "mujoco: %s\n", m->subject);
  }
}

void kuai_install(void) { mju_setLogHandler(on_message); }

// GUARDED runs a statement with errors caught; the enclosing function returns 1
// when there was one.
#define GUARDED(message, statement) \
  do {                              \
    jmp_buf here;                   \
    (message)[0] = 0;               \
    guard_message = (message);      \
    guard = &here;                  \
    int failed = setjmp(here);      \
    if (!failed) {                  \
      statement;                    \
    }                               \
    guard = NULL;                   \
    guard_message = NULL;           \
    if (failed) return 1;           \
  } while (0)

int kuai_load(const char *xml, mjModel **model, char *message) {
  mjSpec *spec = NULL;
  *model = NULL;
  char error[KUAI_MESSAGE] = "";
  GUARDED(message, spec = mj_parseXMLString(xml, NULL, error, sizeof error));
  if (!spec) {
    snprintf(message, KUAI_MESSAGE, "%s", error);
    return 1;
  }
  GUARDED(message, *model = mj_compile(spec, NULL));
  const char *text = mjs_getError(spec);
  if (text && text[0]) snprintf(message, KUAI_MESSAGE, "%s", text);
  mj_deleteSpec(spec);
  return *model == NULL;
}

int kuai_copy_model(const mjModel *m, mjModel **copy, char *message) {
  GUARDED(message, *copy = mj_copyModel(NULL, m));
  return *copy == NULL;
}

int kuai_make_data(const mjModel *m, mjData **d, char *message) {
  GUARDED(message, *d = mj_makeData(m));
  return *d == NULL;
}

int kuai_copy_data(mjData *to, const mjModel *m, const mjData *from, char *message) {
  GUARDED(message, mj_copyData(to, m, from));
  return 0;
}

int kuai_step(const mjModel *m, mjData *d, int steps, char *message) {
  GUARDED(message, for (int i = 0; i < steps; i++) mj_step(m, d));
  static const int fatal[] = {mjWARN_BADQPOS, mjWARN_BADQVEL, mjWARN_BADQACC, mjWARN_BADCTRL};
  for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
    if (d->warning[fatal[i]].number > 0) {
      snprintf(message, KUAI_MESSAGE, "%s",
               mju_warningText(fatal[i], d->warning[fatal[i]].lastinfo));
      return 1;
    }
  }
  return 0;
}

int kuai_forward(const mjModel *m, mjData *d, char *message) {
  GUARDED(message, mj_forward(m, d));
  return 0;
}

int kuai_kinematics(const mjModel *m, mjData *d, char *message) {
  GUARDED(message, {
    mj_kinematics(m, d);
    mj_comPos(m, d);
    mj_camlight(m, d);
  });
  return 0;
}

void kuai_set_equality(mjData *d, int equality, int on) { d->eq_active[equality] = on != 0; }

void kuai_weld_force(const mjData *d, int equality, double force[3]) {
  force[0] = force[1] = force[2] = 0;
  // Equalities come first, and of a weld the three directions before the turns.
  for (int i = 0; i + 2 < d->ne; i++) {
    if (d->efc_type[i] == mjCNSTR_EQUALITY && d->efc_id[i] == equality) {
      for (int k = 0; k < 3; k++) force[k] = d->efc_force[i + k];
      return;
    }
  }
}

int kuai_contacts(const mjModel *m, const mjData *d, kuai_contact *out, int size, char *message) {
  int n = d->ncon < size ? d->ncon : size;
  for (int i = 0; i < n; i++) {
    const mjContact *c = d->contact + i;
    mjtNum local[6] = {0};
    if (c->efc_address >= 0) {
      jmp_buf here;
      message[0] = 0;
      guard_message = message;
      guard = &here;
      int failed = setjmp(here);
      if (!failed) mj_contactForce(m, d, i, local);
      guard = NULL;
      guard_message = NULL;
      if (failed) return -1;
    }
    kuai_contact *o = out + i;
    o->geom[0] = c->geom[0];
    o->geom[1] = c->geom[1];
    o->dist = c->dist;
    for (int k = 0; k < 3; k++) {
      o->pos[k] = c->pos[k];
      o->normal[k] = c->frame[k];
      // The rows of frame are the contact's axes in the world.
      o->force[k] =
          c->frame[k] * local[0] + c->frame[3 + k] * local[1] + c->frame[6 + k] * local[2];
    }
  }
  return d->ncon;
}

int kuai_gl_make(const mjModel *m, mjvScene *scene, mjrContext *con, char *message) {
  enum { GEOMS = 1000 };
  GUARDED(message, {
    mjv_makeScene(m, scene, GEOMS);
    mjr_makeContext(m, con, mjFONTSCALE_100);
  });
  return 0;
}

int kuai_gl_draw(const mjModel *m, mjData *d, const mjvOption *option, const mjvPerturb *perturb,
                 int camera, int width, int height, mjvScene *scene, mjrContext *con,
                 unsigned char *rgb, char *message) {
  mjvCamera view;
  mjv_defaultCamera(&view);
  view.type = mjCAMERA_FIXED;
  view.fixedcamid = camera;
  mjrRect whole = {0, 0, width, height};
  GUARDED(message, {
    if (con->offWidth != width || con->offHeight != height) mjr_resizeOffscreen(width, height, con);
    mjv_updateScene(m, d, option, perturb, &view, mjCAT_ALL, scene);
    mjr_render(whole, scene, con);
    mjr_readPixels(rgb, NULL, whole, con);
  });
  return 0;
}
