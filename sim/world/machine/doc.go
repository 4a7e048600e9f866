// Package machine is what the simulated worlds have in common: the joints of a
// robot in a MuJoCo simulation, which are driven as hardware's are, and time,
// which passes in steps of the physics, in lockstep or along with a clock.
//
// A world owns a Machine, gives it the simulation of each episode with Begin, and
// takes its lock around whatever it reads or writes of that simulation. Nobody
// waits for the lock longer than one step of the physics.
//
// A simulation that diverged is an error of every Read and Write until the next
// Begin; its time goes on, so that whoever waits for an instant is not left
// waiting. After End every method returns mujoco.ErrClosed.
package machine
