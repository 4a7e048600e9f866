// The conversation: what was asked, and what the robot answered by its events.

import { byId, make, newId } from "./dom.js";

const mostLines = 200;
const say = {
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
  warning: (e) => ["warn", e.reason],
};

export class Talk {
  constructor(link) {
    this.link = link;
    this.asked = new Set(); // ids of what this page asked for
    this.list = byId("talk");
    this.text = byId("text");
    byId("say").addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
  }

  /** Forgets what was told before; a new connection tells it again. */
  clear() {
    this.list.replaceChildren();
  }

  ask() {
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
  plan(plan) {
    if (this.asked.has(plan.id) || plan.status !== "running" || !plan.instruction) return;
    this.asked.add(plan.id);
    this.line("you", plan.instruction);
  }

  event(event) {
    const [kind, text] = say[event.kind]?.(event) ?? ["", `${event.kind} ${event.reason ?? ""}`];
    this.line(kind, text, event.at);
  }

  line(kind, text, at = Date.now() / 1000) {
    const when = new Date(at * 1000).toLocaleTimeString([], { hour12: false });
    this.list.append(make("li", { class: `line ${kind}` }, make("time", {}, when), make("p", {}, text)));
    while (this.list.children.length > mostLines) this.list.firstChild.remove();
    this.list.scrollTop = this.list.scrollHeight;
  }
}
