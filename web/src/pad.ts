// A gamepad in the standard layout (https://w3c.github.io/gamepad/#remapping):
// the left stick turns the first two joints, the right one the third and the
// fifth, up and down of the cross the fourth, the triggers close and open the
// gripper. The right button of the four stops the robot.

const deadZone = 0.15; // of a stick that nobody touches
const stopButton = 1;
const up = 12;
const down = 13;
const closing = 7;
const opening = 6;

/** What the gamepads ask for: a rate of −1 to 1 for each joint that is turned. */
export interface PadState {
  axes: Map<number, number>;
  stop: boolean;
}

export function readPad(joints: number, gripper: number): PadState {
  const state: PadState = { axes: new Map(), stop: false };
  for (const pad of navigator.getGamepads()) {
    if (!pad?.connected || pad.mapping !== "standard") continue;
    const value = (button: number) => pad.buttons[button]?.value ?? 0;
    const ask = (joint: number, rate: number) => {
      if (joint >= 0 && joint < joints && rate !== 0) state.axes.set(joint, rate);
    };
    const stick = (axis: number) => {
      const raw = pad.axes[axis] ?? 0;
      const far = Math.abs(raw) - deadZone;
      return far <= 0 ? 0 : (Math.sign(raw) * Math.min(far, 1 - deadZone)) / (1 - deadZone);
    };
    ask(0, -stick(0));
    ask(1, -stick(1));
    ask(2, -stick(3));
    ask(4, stick(2));
    ask(3, value(up) - value(down));
    ask(gripper, value(opening) - value(closing));
    state.stop ||= pad.buttons[stopButton]?.pressed ?? false;
  }
  return state;
}
