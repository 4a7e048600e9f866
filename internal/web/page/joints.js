// Where each joint is between its limits.

import { byId, make, setText } from "./dom.js";

const nearLimit = 0.03; // share of the range

export class Joints {
  constructor() {
    this.root = byId("joints");
    this.note = byId("joints-note");
    this.limits = new Map();
    this.rows = new Map();
  }

  /** Learns the limits from the daemon's hello. */
  describe(joints) {
    this.limits = new Map(joints.map((j) => [j.name, j]));
  }

  update(state) {
    const joints = state.joints ?? [];
    if (joints.length !== this.rows.size || joints.some((j) => !this.rows.has(j.name))) {
      this.rows = new Map(joints.map((j) => [j.name, new Row(j.name)]));
      this.root.replaceChildren(...Array.from(this.rows.values(), (r) => r.root));
    }
    for (const joint of joints) this.rows.get(joint.name).update(joint, this.limits.get(joint.name));
    const hottest = Math.max(...joints.map((j) => j.temperature), 0);
    setText(this.note, hottest > 0 ? `hottest ${Math.round(hottest)} °C` : "");
  }
}

class Row {
  constructor(name) {
    this.mark = make("i");
    this.travel = make("div", { class: "travel", "aria-hidden": "true" }, this.mark);
    this.reading = make("span", { class: "reading" });
    this.effort = make("span", { class: "minor", title: "effort" });
    this.root = make("div", { class: "joint" }, make("span", { class: "name" }, name.replaceAll("_", " ")),
      this.travel, this.reading, this.effort);
  }

  update(joint, limits) {
    const revolute = !limits || limits.kind === "revolute";
    const reading = revolute ? `${((joint.position * 180) / Math.PI).toFixed(1)}°`
      : limits.kind === "prismatic" ? `${(joint.position * 1000).toFixed(1)} mm` : `${joint.velocity.toFixed(2)} rad/s`;
    setText(this.reading, reading);
    // Adding 0 turns a rounded −0 into 0.
    setText(this.effort, `${(Math.round(joint.effort * 100) / 100 + 0).toFixed(2)} ${limits?.kind === "prismatic" ? "N" : "N·m"}`);
    if (!limits || limits.max <= limits.min) return;
    const share = Math.min(1, Math.max(0, (joint.position - limits.min) / (limits.max - limits.min)));
    this.mark.style.left = `${100 * share}%`;
    this.travel.classList.toggle("near", share < nearLimit || share > 1 - nearLimit);
  }
}
