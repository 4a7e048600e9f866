// What Go calls of libmujoco. Every function that can meet mju_error catches it
// and returns 1 with the text in message; otherwise it returns 0, and message
// holds the last warning or is empty. message has KUAI_MESSAGE bytes and belongs
// to the caller. No function keeps a pointer it was given.
#pragma once
#include <mujoco/mujoco.h>

enum { KUAI_MESSAGE = 1024 };

// Routes MuJoCo's errors and warnings to the calls below; once a process.
void kuai_install(void);

// xml ends with a zero byte; *model is the caller's to mj_deleteModel.
int kuai_load(const char *xml, mjModel **model, char *message);
int kuai_copy_model(const mjModel *m, mjModel **copy, char *message);
int kuai_make_data(const mjModel *m, mjData **d, char *message);
int kuai_copy_data(mjData *to, const mjModel *m, const mjData *from, char *message);
int kuai_step(const mjModel *m, mjData *d, int steps, char *message);
int kuai_forward(const mjModel *m, mjData *d, char *message);
// Poses of bodies, sites, geoms, cameras and lights, without dynamics.
int kuai_kinematics(const mjModel *m, mjData *d, char *message);

// Turns an equality on or off; the index is that of one.
void kuai_set_equality(mjData *d, int equality, int on);

// Writes the force that a weld exerted on its first body in the last step, in the
// world frame, N; 0 when it is off.
void kuai_weld_force(const mjData *d, int equality, double force[3]);

// One contact as Go reads it.
typedef struct {
  int geom[2];
  double dist;
  double pos[3];
  double normal[3];  // from geom[0] to geom[1]
  double force[3];   // on geom[1], in the world frame, N
} kuai_contact;

// Writes up to size contacts and returns how many there are; -1: error.
int kuai_contacts(const mjModel *m, const mjData *d, kuai_contact *out, int size, char *message);

// Makes the scene and the rendering context of a model; the OpenGL context is
// current.
int kuai_gl_make(const mjModel *m, mjvScene *scene, mjrContext *con, char *message);

// Draws and reads the picture back, bottom row first.
int kuai_gl_draw(const mjModel *m, mjData *d, const mjvOption *option, const mjvPerturb *perturb,
                 int camera, int width, int height, mjvScene *scene, mjrContext *con,
                 unsigned char *rgb, char *message);
