// The plan as a ladder: one rung a step, with the candidates it was chosen from.

import { byId, make, probability, seconds, setText } from "./dom.js";

const scriptedMeans = "scripted: reads the simulator's state. It is neither perception nor a learned policy.";
const marks = { running: "…", succeeded: "✓", failed: "✕" };

export class Plan {
  constructor() {
    this.root = byId("plan");
    this.by = byId("plan-by");
    this.id = null;
    this.plan = null;
    this.heard = 0; // when the newest plan came
    setInterval(() => this.count(), 200);
  }

  update(plan) {
    if (plan.id !== this.id) this.begin(plan);
    this.plan = plan;
    this.heard = performance.now();
    this.status.dataset.status = plan.status;
    this.why.hidden = !plan.reason;
    setText(this.why, plan.reason ?? "");
    for (const step of plan.history ?? []) {
      if (!this.steps.has(step.number)) {
        const rung = new Rung();
        this.steps.forEach((old) => old.fold());
        this.steps.set(step.number, rung);
        this.ladder.append(rung.root);
      }
      this.steps.get(step.number).update(step);
    }
    this.label(plan);
    this.count();
  }

  /** Counts on between two messages: plans come when something changes. */
  count() {
    if (!this.plan) return;
    const { status } = this.plan;
    const since = status === "running" ? (performance.now() - this.heard) / 1000 : 0;
    const total = seconds(this.plan.seconds + since);
    setText(this.status, status === "running" ? total : `${status} in ${total}`);
    for (const step of this.plan.history ?? []) this.steps.get(step.number).count(step, since);
  }

  begin(plan) {
    this.id = plan.id;
    this.steps = new Map();
    this.status = make("span", { class: "status", role: "status" });
    this.why = make("p", { class: "why" });
    this.ladder = make("ol", { class: "ladder" });
    this.root.replaceChildren(
      make("div", { class: "ask" }, make("q", {}, plan.instruction || "a single skill"), this.status), this.why, this.ladder);
  }

  /** Says who carries out and who judges, and that scripted is scripted. */
  label(plan) {
    const text = `${plan.runner}\n${plan.affordance}`;
    if (this.by.dataset.text === text) return;
    this.by.dataset.text = text;
    const chip = (what, who) => who && make("span", {
      class: who === "scripted" ? "chip scripted" : "chip", title: who === "scripted" ? scriptedMeans : `${what}: ${who}`,
    }, `${what}: ${who}`);
    this.by.replaceChildren(...[chip("skills", plan.runner), chip("can", plan.affordance)].filter(Boolean));
  }
}

/** One step. */
class Rung {
  constructor() {
    this.mark = make("span", { class: "rung", "aria-hidden": "true" });
    this.title = make("h3");
    this.ended = make("span", { class: "ended" });
    this.why = make("p", { class: "why", hidden: true });
    this.summary = make("summary");
    this.rows = make("tbody");
    this.details = make("details", { open: true }, this.summary, make("table", { class: "candidates" },
      make("colgroup", {}, make("col"), ...["say", "can", "product"].map(() => make("col", { class: "value" }))),
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "candidate"),
        ...[["say", "say"], ["can", "can"], ["product", "product"]].map(([kind, text]) =>
          make("th", { scope: "col" }, make("i", { class: `dot ${kind}` }), text)))),
      this.rows));
    this.root = make("li", { class: "step" }, this.mark,
      make("div", { class: "step-head" }, this.title, this.ended), this.why, this.details);
    this.shown = "";
  }

  fold() {
    this.details.open = false;
  }

  count(step, since) {
    const took = seconds(step.seconds + (step.outcome === "running" ? since : 0));
    setText(this.ended, step.skill === "done()" ? "ends the plan" : `${step.outcome} · ${took}`);
  }

  update(step) {
    this.root.dataset.outcome = step.outcome;
    setText(this.mark, step.outcome === "running" ? String(step.number) : marks[step.outcome] ?? String(step.number));
    setText(this.title, step.phrase || step.skill || "deciding");
    this.why.hidden = !step.reason;
    setText(this.why, step.reason ?? "");
    const candidates = step.candidates ?? [];
    this.details.hidden = candidates.length === 0;
    const key = JSON.stringify([candidates, step.skill]);
    if (key === this.shown) return;
    this.shown = key;
    const visited = step.nodes ? ` · ${step.visited} of ${step.nodes} nodes` : "";
    const took = step.score_ms ? ` · decided in ${Math.round(step.score_ms)} ms` : "";
    setText(this.summary, `${candidates.length} best${took}${visited}`);
    const best = {
      say: Math.max(...candidates.map((c) => c.say), 0), can: 1, product: Math.max(...candidates.map((c) => c.product), 0),
    };
    this.rows.replaceChildren(...candidates.map((c) => row(c, best, c.skill === step.skill)));
  }
}

function row(candidate, best, chosen) {
  const cell = (kind) => {
    const fill = make("div", { class: `bar-fill ${kind}` });
    // Say and product are tiny numbers: their bars are relative to the best.
    fill.style.width = `${best[kind] > 0 ? (100 * candidate[kind]) / best[kind] : 0}%`;
    return make("td", {}, make("div", { class: "value-cell" },
      make("div", { class: "bar-track", "aria-hidden": "true" }, fill),
      make("span", { class: "number", title: String(candidate[kind]) }, probability(candidate[kind]))));
  };
  return make("tr", { class: chosen ? "chosen" : undefined },
    make("td", { title: candidate.skill }, candidate.phrase || candidate.skill,
      chosen ? make("span", { class: "mark" }, " ◂") : undefined, chosen ? make("span", { class: "hidden" }, " (chosen)") : undefined),
    cell("say"), cell("can"), cell("product"));
}
