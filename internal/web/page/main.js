// The page: each part takes the messages that it shows.

import { Cameras } from "./cameras.js";
import { byId, make, setText } from "./dom.js";
import { Joints } from "./joints.js";
import { Link } from "./link.js";
import { Plan } from "./plan.js";
import { Stop } from "./stop.js";
import { Talk } from "./talk.js";

const modeWords = { off: "torque off", held: "holding", moving: "moving", stopped: "stopped", fault: "fault" };

function alarm(text, kind = "bad") {
  const element = byId("alarm");
  element.hidden = text === "";
  element.dataset.kind = kind;
  setText(element, text);
}

function showMode(mode, reason) {
  const pill = byId("mode");
  pill.dataset.mode = mode;
  setText(pill, modeWords[mode] ?? mode);
  setText(byId("reason"), reason);
  byId("reason").title = reason;
}

function showHealth(health) {
  const facts = [health.model, health.driver && `driver ${health.driver}`, health.loop && `loop ${health.loop.jitter_p99_ms.toFixed(2)} ms p99`];
  setText(byId("facts"), facts.filter(Boolean).join(" · "));
  if (health.status === "online") alarm("");
  else alarm(health.status === "offline" ? "kuai has ended." : (health.reasons ?? []).join("; "), health.status === "offline" ? "bad" : "warn");
}

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.theme = localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light");
  };
  dark.addEventListener("change", apply);
  byId("theme").addEventListener("click", () => {
    localStorage.setItem("theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    apply();
  });
  apply();
}

/** Offers what a newcomer may ask for. */
function showExamples(examples) {
  document.getElementById("examples")?.replaceChildren(...examples.map((text) =>
    make("button", { type: "button", onclick: () => { byId("text").value = text; byId("text").focus(); } }, text)));
}

theme();
const cameras = new Cameras();
const plan = new Plan();
const joints = new Joints();
let everOpen = false;
const link = new Link((open) => {
  if (open) {
    everOpen = true;
    talk.clear(); // the daemon tells its newest events again
    alarm("");
  } else {
    showMode("lost", everOpen ? "" : "is kuai running?");
    setText(byId("mode"), "no connection");
    alarm("No connection to kuai; trying again. What you see may be out of date.");
  }
});
const stop = new Stop(link, alarm);
const talk = new Talk(link);

link
  .on("hello", (hello) => {
    setText(byId("robot"), hello.robot);
    document.title = `${hello.robot} · kuai`;
    cameras.set(hello.cameras);
    joints.describe(hello.joints);
    showExamples(hello.examples);
    const watchOnly = hello.role === "view";
    for (const id of ["text", "send"]) byId(id).disabled = watchOnly;
    if (watchOnly) byId("text").placeholder = "You may watch and stop the robot";
  })
  .on("state", (state) => {
    showMode(state.mode, state.reason ?? "");
    stop.update(state.mode);
    joints.update(state);
  })
  .on("plan", (p) => {
    plan.update(p);
    talk.plan(p);
  })
  .on("event", (event) => talk.event(event))
  .on("health", showHealth)
  .on("refusal", ({ reason }) => talk.line("bad", `refused: ${reason}`));
