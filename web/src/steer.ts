// Teleoperation. A joint turns only while something is held: a key, a button
// under a finger, a stick. Then the page sends velocities 20 times a second, of
// which the daemon needs 10; when the last is let go it sends zeros at once, and
// after that nothing. A page that hangs, loses its window or its connection
// falls silent, and the robot stops by itself.

import { typing } from "./dom";
import type { Link } from "./link";
import type { JointLimits, State } from "./messages";
import { readPad } from "./pad";
import { spoken } from "./words";

const period = 50; // ms between two messages
const ownFor = 400; // ms after our newest message during which "teleop" means us
const noteFor = 4000; // ms that a refusal is shown

/** The keys of each joint, by their place on the keyboard: one row on, one row back. T is for talking. */
export const keys = {
  forward: ["KeyQ", "KeyW", "KeyE", "KeyR", "KeyY", "KeyU", "KeyI"],
  back: ["KeyA", "KeyS", "KeyD", "KeyF", "KeyH", "KeyJ", "KeyK"],
};

interface Held {
  joint: number;
  rate: number; // −1 to 1
}

export class Steer {
  on = false;
  allowed = true;
  /** Share of each joint's greatest velocity. */
  speed = 0.3;

  private joints: JointLimits[] = [];
  private gripper = -1;
  private readonly held = new Map<string, Held>(); // by what holds it
  private timer = 0;
  private sent = -Infinity; // when the newest message left
  private stamp = 0; // its time
  private mode = "";
  private source = "";
  private note = "";
  private noted = 0;

  /** changed is called when state() may read differently; panic stops the robot. */
  constructor(private readonly link: Link, private readonly changed: () => void, private readonly panic: () => void) {
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("keyup", (event) => this.release(event.code));
    for (const away of ["blur", "pagehide"]) addEventListener(away, () => this.releaseAll());
    document.addEventListener("visibilitychange", () => document.hidden && this.releaseAll());
    addEventListener("focusin", (event) => typing(event.target) && this.releaseAll());
    setInterval(() => this.on && this.pad(), period);
  }

  describe(joints: JointLimits[], gripper: string, allowed: boolean): void {
    this.joints = joints;
    this.gripper = joints.findIndex((j) => j.name === gripper);
    this.allowed = allowed;
    if (!allowed) this.set(false);
  }

  set(on: boolean): void {
    this.on = on && this.allowed;
    this.note = "";
    if (!this.on) this.releaseAll();
    this.changed();
  }

  /** Learns what the robot does. */
  follow(state: State): void {
    this.mode = state.mode;
    this.source = state.source ?? "";
    if (this.halted) this.releaseAll();
  }

  get halted(): boolean {
    return this.mode === "stopped" || this.mode === "fault";
  }

  /** Whoever asked for it last was us. */
  private get own(): boolean {
    return this.held.size > 0 || performance.now() - this.sent < ownFor;
  }

  /** Another page, or a program over MQTT, steers. */
  get other(): boolean {
    return this.source === "teleop" && !this.own;
  }

  /** Says who steers, and what to do. */
  state(): string {
    if (this.note && performance.now() - this.noted < noteFor) return this.note;
    if (this.other) return "Somebody else steers the robot.";
    if (!this.on) return "";
    if (this.halted) return "The robot is stopped: reset it to steer.";
    const moved = [...this.held.values()].map(({ joint, rate }) => `${spoken(this.joints[joint]!.name)} ${rate > 0 ? "+" : "−"}`);
    return moved.length > 0 ? `You steer: ${moved.join(", ")}` : "Hold a button, a key or a stick to move; let go to stop.";
  }

  /** Whether joint is turned this way now, for its button to show. */
  turns(joint: number, sign: number): boolean {
    return [...this.held.values()].some((h) => h.joint === joint && Math.sign(h.rate) === sign);
  }

  /** Turns joint at rate until release(what). */
  hold(what: string, joint: number, rate: number): void {
    if (!this.on || this.halted || !this.joints[joint]) return;
    this.held.set(what, { joint, rate });
    if (!this.timer) {
      this.timer = setInterval(() => this.send(), period);
      this.send();
    }
    this.changed();
  }

  release(what: string): void {
    if (this.held.delete(what)) this.released();
  }

  releaseAll(): void {
    if (this.held.size === 0) return;
    this.held.clear();
    this.released();
  }

  /** The daemon refused to be steered from here. */
  refused(reason: string): void {
    if (!this.own) return;
    this.note = `Not steered: ${reason}`;
    this.noted = performance.now();
    this.releaseAll();
    this.changed();
  }

  private released(): void {
    this.send();
    if (this.held.size === 0) {
      clearInterval(this.timer);
      this.timer = 0;
    }
    this.changed();
  }

  /** Sends what is held; without a connection nothing stays held. */
  private send(): void {
    const velocity = this.joints.map(() => 0);
    for (const { joint, rate } of this.held.values()) velocity[joint] = Math.max(-1, Math.min(1, velocity[joint]! + rate));
    // The time must grow from message to message.
    this.stamp = Math.max(this.stamp + 1e-4, (performance.timeOrigin + performance.now()) / 1000);
    const at = this.stamp;
    const open = this.link.send("teleop", { at, velocity: velocity.map((v, i) => v * this.speed * this.joints[i]!.max_velocity) });
    if (open) this.sent = performance.now();
    else if (this.held.size > 0) this.releaseAll();
  }

  private key(event: KeyboardEvent): void {
    if (!this.on || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const [forward, back] = [keys.forward.indexOf(event.code), keys.back.indexOf(event.code)];
    if (forward < 0 && back < 0) return;
    event.preventDefault();
    if (!event.repeat) this.hold(event.code, Math.max(forward, back), forward >= 0 ? 1 : -1);
  }

  private pad(): void {
    const { axes, stop } = readPad(this.joints.length, this.gripper);
    if (stop) this.panic();
    for (let joint = 0; joint < this.joints.length; joint++) {
      const rate = axes.get(joint) ?? 0;
      if (rate === 0) this.release(`pad ${joint}`);
      else this.hold(`pad ${joint}`, joint, rate);
    }
  }
}
