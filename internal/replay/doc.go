// Package replay keeps what the stages of a robot were given, and gives it to
// them again: the same policy agent, control loop and safety core under the
// recorded clock, without a robot or a simulator.
//
// Recording happens at two places, each a thin layer around a stage:
//
//	Tape     around the agent's world: every reading of the clock, every wait,
//	         every observation, and what the agent did about it
//	Watcher  beside the control loop: every order that it was given and every
//	         tick with the joints' state, the command and the verdict
//
// They write the topics that Topics lists into a recording of package record.
// Neither holds its stage up: the control loop's part allocates nothing and
// never waits.
//
// Replay reads the recording twice. First the agent of each episode runs again
// from the tape; the chunks that it gives are held against the recorded ones.
// Then the control loop does every tick again, with the chunks that the agent
// gives now, and each command is held against the recorded one, to the bit.
// Where the agent asks for something else than it asked for then, it has
// diverged: from there on it sees the newest recorded observation of its time.
//
// Instants are robot.Time of the recorded run. A recording is input from
// outside: whatever is not as it should be is an error that says where.
package replay
