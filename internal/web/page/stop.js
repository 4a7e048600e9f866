// Stop and reset. The stop goes over the open socket at once, and by a request
// of its own when the socket is not open or the robot has not confirmed it.

import { byId, newId, setText } from "./dom.js";

const confirmWithin = 150; // ms until the second way is tried
const giveUpAfter = 1500; // ms until the page says that nothing confirmed it

export class Stop {
  constructor(link, alarm) {
    this.link = link;
    this.alarm = alarm;
    this.word = document.querySelector(".stop-word");
    this.reset = byId("reset");
    this.halted = false;
    byId("stop").addEventListener("submit", (event) => {
      event.preventDefault();
      this.now();
    });
    this.reset.addEventListener("click", () => this.link.send("reset", { id: newId() }));
    // Pressed, not released: a finger on the way up is too late.
    byId("stop").querySelector("button").addEventListener("pointerdown", () => this.now());
    addEventListener("keydown", (event) => this.key(event), { capture: true });
  }

  key(event) {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    if (event.code === "Escape" || (event.code === "Space" && !typing)) {
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) this.now();
    }
  }

  now() {
    if (this.asked && performance.now() - this.asked < confirmWithin) return; // one press is one stop
    this.asked = performance.now();
    setText(this.word, "Stopping");
    clearTimeout(this.second);
    clearTimeout(this.last);
    if (this.link.send("stop", "button on the page")) this.second = setTimeout(() => this.halted || this.post(), confirmWithin);
    else this.post();
    this.last = setTimeout(() => {
      if (!this.halted) this.alarm("The robot did not confirm the stop: use its own switch.");
      setText(this.word, "Stop");
    }, giveUpAfter);
  }

  post() {
    fetch("/stop", { method: "POST", keepalive: true }).catch(() => {});
  }

  /** Follows the mode of the robot. */
  update(mode) {
    this.halted = mode === "stopped" || mode === "fault";
    if (this.halted && this.asked) {
      this.asked = 0;
      clearTimeout(this.second);
      clearTimeout(this.last);
      setText(this.word, "Stop");
    }
    this.reset.hidden = !this.halted;
    this.reset.classList.toggle("urge", this.halted);
    document.body.classList.toggle("halted", this.halted);
  }
}
