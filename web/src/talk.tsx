// The conversation: what was asked, and what the robot answered by its events.

import { render } from "preact";
import { byId } from "./dom";
import type { Link } from "./link";
import type { Plan, RobotEvent, Said } from "./messages";
import { newId } from "./words";

const mostLines = 200;
const say: Record<string, (e: RobotEvent) => [kind: string, text: string]> = {
  accepted: () => ["", "understood"],
  refused: (e) => ["bad", `refused: ${e.reason}`],
  step_started: (e) => ["", `step ${e.step}: ${e.skill}`],
  step_succeeded: (e) => ["", `step ${e.step} succeeded`],
  step_failed: (e) => ["warn", `step ${e.step} failed: ${e.reason}`],
  succeeded: () => ["good", "done"],
  failed: (e) => ["bad", `gave up: ${e.reason}`],
  stopped: (e) => ["bad", `stopped: ${e.reason}`],
  reset: (e) => ["", e.reason ? `reset: ${e.reason}` : "ready to move again"],
  fault: (e) => ["bad", `fault: ${e.reason}`],
  warning: (e) => ["warn", e.reason ?? ""],
};

/** How what was said aloud is shown; what is being said is replaced by what was understood. */
const said: Record<Said["kind"], (s: Said) => [kind: string, text: string]> = {
  hearing: (s) => ["hearing", `${s.text ?? ""} …`],
  heard: (s) => ["you", s.instruction && s.instruction !== s.text ? `${s.text} (${s.instruction})` : (s.text ?? "")],
  not_understood: (s) => ["warn", `heard “${s.text ?? ""}”: ${s.reason ?? "not understood"}`],
  ignored: (s) => ["soft", `heard “${s.text ?? ""}”: not said to the robot`],
  stop: (s) => ["bad", `heard “${s.text ?? "stop"}”`],
  question: (s) => ["robot", s.text ?? ""],
  answer: (s) => ["robot", s.text ?? ""],
};

interface Line {
  number: number;
  kind: string;
  text: string;
  when: string;
  /** How often it was said in a row. */
  times: number;
}

export class Talk {
  private readonly asked = new Set<string>(); // ids of what this page asked for
  private readonly list = byId("talk");
  private readonly text = byId("text") as HTMLInputElement;
  private lines: Line[] = [];
  private count = 0;

  constructor(private readonly link: Link) {
    byId("say").addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
  }

  /** Forgets what was told before; a new connection tells it again. */
  clear(): void {
    this.lines = [];
    this.draw();
  }

  private ask(): void {
    const text = this.text.value.trim();
    if (text === "") return;
    const id = newId();
    if (!this.link.send("instruction", { id, text })) {
      this.line("bad", "not sent: there is no connection to the robot");
      return;
    }
    this.asked.add(id);
    this.line("you", text);
    this.text.value = "";
    // Away from the input, so that the space bar stops the robot.
    this.text.blur();
  }

  /** Tells what somebody else asked for. */
  plan(plan: Plan): void {
    if (this.asked.has(plan.id) || plan.status !== "running" || !plan.instruction) return;
    this.asked.add(plan.id);
    this.line("you", plan.instruction);
  }

  /** Tells what was said aloud, and what the robot answered. */
  conversation(s: Said): void {
    if (s.id) this.asked.add(s.id); // its plan need not say it again
    if (this.lines.at(-1)?.kind === "hearing" && s.who === "person") this.lines = this.lines.slice(0, -1);
    const [kind, text] = said[s.kind]?.(s) ?? ["", s.text ?? ""];
    this.line(kind, text, s.at);
  }

  event(event: RobotEvent): void {
    const [kind, text] = say[event.kind]?.(event) ?? ["", `${event.kind} ${event.reason ?? ""}`];
    this.line(kind, text, event.at);
  }

  line(kind: string, text: string, at = Date.now() / 1000): void {
    const when = new Date(at * 1000).toLocaleTimeString([], { hour12: false });
    const last = this.lines.at(-1);
    if (last?.kind === kind && last.text === text && kind !== "you") this.lines = [...this.lines.slice(0, -1), { ...last, when, times: last.times + 1 }];
    else this.lines = [...this.lines.slice(1 - mostLines), { number: this.count++, kind, text, when, times: 1 }];
    this.draw();
    this.list.scrollTop = this.list.scrollHeight;
  }

  private draw(): void {
    render(this.lines.map((l) => (
      <li key={l.number} class={`line ${l.kind}`}><time>{l.when}</time><p>{l.text}{l.times > 1 && ` (${l.times} times)`}</p></li>
    )), this.list);
  }
}
