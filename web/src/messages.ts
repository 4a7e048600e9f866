// What travels over the socket: the payloads of docs/topics.md, and the hello
// and the refusals of internal/web.

export type Mode = "off" | "held" | "moving" | "stopped" | "fault";
export type Kind = "revolute" | "prismatic" | "wheel";

export interface JointLimits {
  name: string;
  kind: Kind;
  min: number;
  max: number;
  max_velocity: number;
  max_effort: number;
  max_temperature: number;
}

export interface Hello {
  robot: string;
  version: string;
  role: string;
  cameras: string[];
  joints: JointLimits[];
  gripper?: string;
  examples: string[];
  /** Why there is no talk button. */
  no_talk?: string;
}

export interface JointState {
  name: string;
  position: number;
  velocity: number;
  effort: number;
  temperature: number;
}

export interface State {
  at: number;
  mode: Mode;
  reason?: string;
  /** Who the joints follow: policy, skill or teleop. */
  source?: string;
  joints: JointState[];
  marks?: Mark[];
}

/** Where an object that the running step is about shows in a picture; shares of its width and height. */
export interface Mark {
  camera: string;
  name: string;
  x: number;
  y: number;
  size: number;
}

export interface Candidate {
  skill: string;
  phrase?: string;
  say: number;
  can: number;
  product: number;
}

export interface Step {
  number: number;
  candidates?: Candidate[];
  skill: string;
  phrase?: string;
  outcome: "running" | "succeeded" | "failed";
  reason?: string;
  seconds: number;
  score_ms?: number;
  visited?: number;
  nodes?: number;
}

export interface Plan {
  id: string;
  instruction: string;
  status: "running" | "succeeded" | "failed";
  reason?: string;
  step: number;
  history: Step[] | null;
  seconds: number;
  runner: string;
  affordance: string;
  heat?: Heat[];
}

/** Where the affordance model sees the running step: a grid over a picture, 0 to 100 from the top left. */
export interface Heat {
  camera: string;
  columns: number;
  rows: number;
  cells: number[];
}

export interface RobotEvent {
  at: number;
  kind: string;
  id?: string;
  topic?: string;
  step?: number;
  skill?: string;
  reason?: string;
}

/** Something that a person or the robot said. */
export interface Said {
  at: number;
  who: "person" | "robot";
  kind: "hearing" | "heard" | "not_understood" | "ignored" | "stop" | "question" | "answer";
  text?: string;
  id?: string;
  instruction?: string;
  reason?: string;
}

/** One stage between a picture and the command that follows from it. */
export interface Stage {
  name: string;
  ms: number;
  p50_ms: number;
  p99_ms: number;
}

export interface Health {
  status: "online" | "degraded" | "offline";
  reasons?: string[];
  driver?: string;
  model?: string;
  loop?: { rate_hz: number; jitter_p99_ms: number; read_p99_ms?: number; decide_p99_ms?: number; write_p99_ms?: number };
  stages?: Stage[];
}

export interface Refusal {
  topic?: string;
  reason: string;
}

/** What the daemon says, by topic. */
export interface Messages {
  hello: Hello;
  state: State;
  plan: Plan;
  event: RobotEvent;
  health: Health;
  conversation: Said;
  refusal: Refusal;
}
