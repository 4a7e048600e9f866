// Where each joint is between its limits, how warm and how loaded it is, and
// the buttons that turn it.

import { render } from "preact";
import { byId, setText } from "./dom";
import type { JointLimits, JointState, State } from "./messages";
import { keys, type Steer } from "./steer";
import { fixed, spoken } from "./words";

const nearLimit = 0.03; // share of the range
const nearMost = 0.9; // share of the greatest effort or temperature

/** Degrees or millimetres for a person. */
function place(limits: JointLimits | undefined, value: number, digits: number): string {
  return limits?.kind === "prismatic" ? `${fixed(value * 1000, digits)} mm` : `${fixed((value * 180) / Math.PI, digits)}°`;
}

export class JointsView {
  private readonly root = byId("joints");
  private readonly note = byId("joints-note");
  private readonly toggle = byId("steer");
  private limits = new Map<string, JointLimits>();
  private joints: JointState[] = [];
  private caps = new Map<string, string>(); // what is printed on the keys

  steer!: Steer;

  constructor() {
    this.toggle.addEventListener("click", () => this.steer.set(!this.steer.on));
    const { keyboard } = navigator as { keyboard?: { getLayoutMap(): Promise<Map<string, string>> } };
    keyboard?.getLayoutMap().then((caps) => (this.caps = caps)).catch(() => {});
  }

  /** Learns the limits from the daemon's hello. */
  describe(joints: JointLimits[]): void {
    this.limits = new Map(joints.map((j) => [j.name, j]));
    this.draw();
  }

  update(state: State): void {
    this.joints = state.joints ?? [];
    const hottest = Math.max(...this.joints.map((j) => j.temperature), 0);
    setText(this.note, hottest > 0 ? `hottest ${Math.round(hottest)} °C` : "");
    this.draw();
  }

  draw(): void {
    const { steer } = this;
    this.toggle.setAttribute("aria-checked", String(steer.on));
    this.toggle.toggleAttribute("disabled", !steer.allowed);
    if (this.joints.length === 0) return;
    const said = steer.state();
    render(<>
      {(steer.on || said) && <SteerBar steer={steer} said={said} />}
      <div class={steer.on ? "joint-rows steered" : "joint-rows"}>
        {this.joints.map((joint, i) => (
          <Row key={joint.name} joint={joint} limits={this.limits.get(joint.name)}>
            {steer.on && <span class="jogs"><Jog steer={steer} joint={i} name={joint.name} sign={-1} cap={this.cap(keys.back[i])} />
              <Jog steer={steer} joint={i} name={joint.name} sign={1} cap={this.cap(keys.forward[i])} /></span>}
          </Row>
        ))}
      </div>
    </>, this.root);
  }

  private cap(code: string | undefined): string {
    return code ? (this.caps.get(code) ?? code.slice(-1)).toUpperCase() : "";
  }
}

function SteerBar({ steer, said }: { steer: Steer; said: string }) {
  const percent = Math.round(steer.speed * 100);
  return (
    <div class="steer-bar" data-who={steer.other ? "other" : steer.on ? "own" : ""}>
      <p id="steer-state" role="status">{said}</p>
      {steer.on && <label class="speed">speed
        <input id="speed" type="range" min="5" max="100" step="5" value={percent} aria-valuetext={`${percent} % of the greatest velocity`}
          onInput={(event) => { steer.speed = Number(event.currentTarget.value) / 100; }} />
        <span class="number">{percent} %</span></label>}
    </div>
  );
}

/** A button that turns a joint while it is held, by pointer, touch or Enter. */
function Jog({ steer, joint, name, sign, cap }: { steer: Steer; joint: number; name: string; sign: 1 | -1; cap: string }) {
  const what = (source: string) => `${source} ${joint} ${sign}`;
  const letGo = () => steer.release(what("pointer"));
  return (
    <button type="button" class={steer.turns(joint, sign) ? "jog held" : "jog"} disabled={steer.halted}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        steer.hold(what("pointer"), joint, sign);
      }}
      onPointerUp={letGo} onPointerCancel={letGo} onLostPointerCapture={letGo}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => event.code === "Enter" && !event.repeat && steer.hold("Enter", joint, sign)}
      onBlur={() => { steer.release("Enter"); letGo(); }}>
      <span class="hidden">Hold to turn {spoken(name)} {sign > 0 ? "forward" : "back"}</span>
      <span aria-hidden="true">{sign > 0 ? "+" : "−"}</span>{cap && <kbd aria-hidden="true">{cap}</kbd>}
    </button>
  );
}

function Row({ joint, limits, children }: { joint: JointState; limits?: JointLimits; children: preact.ComponentChildren }) {
  const wheel = limits?.kind === "wheel";
  const bounded = limits && limits.max > limits.min;
  const share = bounded ? Math.min(1, Math.max(0, (joint.position - limits.min) / (limits.max - limits.min))) : 0;
  const near = share < nearLimit || share > 1 - nearLimit;
  const most = (value: number, greatest: number | undefined) => (greatest && Math.abs(value) >= nearMost * greatest ? "minor high" : "minor");
  return (
    <div class="joint">
      <span class="name">{spoken(joint.name)}</span>
      {bounded ? <span class="range">
        <span class="limit">{place(limits, limits.min, 0)}</span>
        <span class={near ? "travel near" : "travel"} aria-hidden="true"><i style={{ left: `${100 * share}%` }} /></span>
        <span class="limit">{place(limits, limits.max, 0)}</span>
      </span> : <span class="range" />}
      <span class="reading">{wheel ? `${fixed(joint.velocity, 2)} rad/s` : place(limits, joint.position, 1)}</span>
      <span class={most(joint.effort, limits?.max_effort)} title={limits ? `effort, at most ${limits.max_effort}` : "effort"}>
        {fixed(joint.effort, 2)} {limits?.kind === "prismatic" ? "N" : "N·m"}</span>
      <span class={most(joint.temperature, limits?.max_temperature)} title={limits ? `temperature, at most ${limits.max_temperature} °C` : "temperature"}>
        {joint.temperature > 0 ? `${Math.round(joint.temperature)} °C` : ""}</span>
      {children}
    </div>
  );
}
