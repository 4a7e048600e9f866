// The page: each part takes the messages that it shows.
//
// Views are functions of the newest message (Preact), so that none keeps a copy
// of what the robot is doing that could disagree with it. What must answer at
// once, stop and steering, and the pictures touch the document themselves.

import { Cameras } from "./cameras";
import { byId, setText } from "./dom";
import { JointsView } from "./joints";
import { Link } from "./link";
import type { Health, State } from "./messages";
import { PlanView } from "./plan";
import { StagesView } from "./stages";
import { Steer } from "./steer";
import { Stop } from "./stop";
import { Talk } from "./talk";
import { theme } from "./theme";
import { Voice } from "./voice";

const modeWords: Record<string, string> = { off: "torque off", held: "holding", moving: "moving", stopped: "stopped", fault: "fault" };
const sourceWords: Record<string, string> = { policy: "by plan", skill: "by skill", teleop: "steered" };

function alarm(text: string, kind = "bad"): void {
  const element = byId("alarm");
  element.hidden = text === "";
  element.dataset.kind = kind;
  setText(element, text);
}

function showMode(mode: string, text: string, reason: string): void {
  const pill = byId("mode");
  pill.dataset.mode = mode;
  setText(pill, text);
  setText(byId("reason"), reason);
  byId("reason").title = reason;
}

function showState(state: State): void {
  const word = modeWords[state.mode] ?? state.mode;
  const by = state.mode === "moving" && sourceWords[state.source ?? ""];
  showMode(state.mode, by ? `${word} · ${by}` : word, state.reason ?? "");
}

function showHealth(health: Health): void {
  setText(byId("facts"), [health.model, health.driver && `driver ${health.driver}`].filter(Boolean).join(" · "));
  if (health.status === "online") alarm("");
  else if (health.status === "offline") alarm("kuai has ended.");
  else alarm((health.reasons ?? []).join("; "), "warn");
}

theme();
const cameras = new Cameras();
const text = byId("text") as HTMLInputElement;
const plan = new PlanView((example) => {
  text.value = example;
  text.focus();
});
const joints = new JointsView();
const stages = new StagesView();
let everOpen = false;
const link = new Link((open) => {
  if (open) {
    everOpen = true;
    talk.clear(); // the daemon tells its newest events again
    alarm("");
    return;
  }
  steer.releaseAll();
  showMode("lost", "no connection", everOpen ? "" : "is kuai running?");
  alarm("No connection to kuai; trying again. What you see may be out of date.");
});
const stop = new Stop(link, alarm);
const talk = new Talk(link);
const voice = new Voice((kind, text) => talk.line(kind, text));
const steer = new Steer(link, () => joints.draw(), () => stop.now());
joints.steer = steer;

link
  .on("hello", (hello) => {
    setText(byId("robot"), hello.robot);
    document.title = `${hello.robot} · kuai`;
    const watchOnly = hello.role === "view";
    cameras.set(hello.cameras);
    steer.describe(hello.joints, hello.gripper ?? "", !watchOnly);
    joints.describe(hello.joints);
    voice.describe(hello.no_talk ?? "", !watchOnly);
    plan.offer(hello.examples);
    for (const id of ["text", "send"]) byId(id).toggleAttribute("disabled", watchOnly);
    if (watchOnly) text.placeholder = "You may watch and stop the robot";
  })
  .on("state", (state) => {
    showState(state);
    stop.update(state.mode);
    steer.follow(state);
    joints.update(state);
    cameras.mark(state.marks ?? []);
  })
  .on("plan", (p) => {
    plan.update(p);
    cameras.heat(p.heat ?? []);
    talk.plan(p);
  })
  .on("event", (event) => {
    if (event.kind === "refused" && event.topic === "teleop") steer.refused(event.reason ?? "");
    talk.event(event);
  })
  .on("conversation", (said) => talk.conversation(said))
  .on("health", (health) => {
    showHealth(health);
    stages.update(health);
  })
  .on("refusal", ({ topic, reason }) => {
    if (topic === "teleop") steer.refused(reason);
    else talk.line("bad", `refused: ${reason}`);
  });
