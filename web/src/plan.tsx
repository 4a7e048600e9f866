// The plan as a ladder: one rung a step, with the candidates it was chosen from.

import { render } from "preact";
import { byId } from "./dom";
import type { Candidate, Plan, Step } from "./messages";
import { probability, seconds } from "./words";

const scriptedMeans = "scripted: reads the simulator's state. It is neither perception nor a learned policy.";
const marks = { running: "…", succeeded: "✓", failed: "✕" };
const scores = ["say", "can", "product"] as const;

export class PlanView {
  private readonly root = byId("plan");
  private readonly by = byId("plan-by");
  private plan: Plan | null = null;
  private examples: string[] = [];
  private heard = 0; // when the newest plan came

  /** onexample is told which of the examples somebody chose. */
  constructor(private readonly onexample: (text: string) => void) {
    this.draw();
    // Counts on between two messages: plans come when something changes.
    setInterval(() => this.plan?.status === "running" && this.draw(), 200);
  }

  /** Offers what a newcomer may ask for. */
  offer(examples: string[]): void {
    this.examples = examples;
    this.draw();
  }

  update(plan: Plan): void {
    this.plan = plan;
    this.heard = performance.now();
    this.draw();
  }

  private draw(): void {
    const { plan } = this;
    if (!plan) {
      render(<Empty examples={this.examples} choose={this.onexample} />, this.root);
      return;
    }
    const since = plan.status === "running" ? (performance.now() - this.heard) / 1000 : 0;
    render(<Ladder key={plan.id} plan={plan} since={since} />, this.root);
    render(<><Chip what="skills" who={plan.runner} /><Chip what="can" who={plan.affordance} /></>, this.by);
  }
}

function Empty({ examples, choose }: { examples: string[]; choose: (text: string) => void }) {
  return <>
    <p class="empty">Nothing asked yet. Type below what the robot should do.</p>
    <p id="examples" class="examples">
      {examples.map((text) => <button type="button" key={text} onClick={() => choose(text)}>{text}</button>)}
    </p>
  </>;
}

/** Says who carries out or judges, and that scripted is scripted. */
function Chip({ what, who }: { what: string; who: string }) {
  if (!who) return null;
  const scripted = who === "scripted";
  return <span class={scripted ? "chip scripted" : "chip"} title={scripted ? scriptedMeans : `${what}: ${who}`}>{what}: {who}</span>;
}

function Ladder({ plan, since }: { plan: Plan; since: number }) {
  const total = seconds(plan.seconds + since);
  const steps = plan.history ?? [];
  return <>
    <div class="ask">
      <q>{plan.instruction || "a single skill"}</q>
      <span class="status" role="status" data-status={plan.status}>
        {plan.status === "running" ? total : `${plan.status} in ${total}`}
      </span>
    </div>
    {plan.reason && <p class="why">{plan.reason}</p>}
    <ol class="ladder">
      {steps.map((step, i) => <Rung key={step.number} step={step} since={since} newest={i === steps.length - 1} />)}
    </ol>
  </>;
}

function Rung({ step, since, newest }: { step: Step; since: number; newest: boolean }) {
  const running = step.outcome === "running";
  const took = seconds(step.seconds + (running ? since : 0));
  return (
    <li class="step" data-outcome={step.outcome}>
      <span class="rung" aria-hidden="true">{running ? step.number : marks[step.outcome]}</span>
      <div class="step-head">
        <h3>{step.phrase || step.skill || "deciding"}</h3>
        <span class="ended">{step.skill === "done()" ? "ends the plan" : `${step.outcome} · ${took}`}</span>
      </div>
      {step.reason && <p class="why">{step.reason}</p>}
      {step.candidates && <Candidates step={step} all={step.candidates} open={newest} />}
    </li>
  );
}

/** open folds the list when it turns false; in between a person may unfold it. */
function Candidates({ step, all, open }: { step: Step; all: Candidate[]; open: boolean }) {
  const took = step.score_ms ? ` · decided in ${Math.round(step.score_ms)} ms` : "";
  const visited = step.nodes ? ` · ${step.visited} of ${step.nodes} nodes` : "";
  // Say and product are tiny numbers: their bars are relative to the best.
  const full = { say: Math.max(...all.map((c) => c.say)), can: 1, product: Math.max(...all.map((c) => c.product)) };
  return (
    <details open={open}>
      <summary>{`${all.length} best${took}${visited}`}</summary>
      <table class="candidates">
        <colgroup><col />{scores.map((kind) => <col key={kind} class="value" />)}</colgroup>
        <thead>
          <tr><th scope="col">candidate</th>{scores.map((kind) => <th key={kind} scope="col"><i class={`dot ${kind}`} />{kind}</th>)}</tr>
        </thead>
        <tbody>{all.map((c) => <Row key={c.skill} candidate={c} full={full} chosen={c.skill === step.skill} />)}</tbody>
      </table>
    </details>
  );
}

function Row({ candidate, full, chosen }: { candidate: Candidate; full: Record<(typeof scores)[number], number>; chosen: boolean }) {
  return (
    <tr class={chosen ? "chosen" : undefined}>
      <td title={candidate.skill}>
        {candidate.phrase || candidate.skill}
        {chosen && <><span class="mark" aria-hidden="true"> ◂</span><span class="hidden"> (chosen)</span></>}
      </td>
      {scores.map((kind) => (
        <td key={kind}>
          <div class="value-cell">
            <div class="bar-track" aria-hidden="true">
              <div class={`bar-fill ${kind}`} style={{ width: `${full[kind] > 0 ? (100 * candidate[kind]) / full[kind] : 0}%` }} />
            </div>
            <span class="number" title={String(candidate[kind])}>{probability(candidate[kind])}</span>
          </div>
        </td>
      ))}
    </tr>
  );
}
