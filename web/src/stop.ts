// Stop and reset. The stop goes over the open socket at once, and by a request
// of its own when the socket is not open or the robot has not confirmed it. No
// part of the page that could be slow lies in its way.

import { byId, setText, typing } from "./dom";
import type { Link } from "./link";
import type { Mode } from "./messages";
import { newId } from "./words";

const confirmWithin = 150; // ms until the second way is tried
const giveUpAfter = 1500; // ms until the page says that nothing confirmed it

export class Stop {
  private readonly word = document.querySelector(".stop-word")!;
  private readonly reset = byId("reset");
  private halted = false;
  private asked = 0; // when; 0: not, or confirmed
  private second = 0;
  private last = 0;

  constructor(private readonly link: Link, private readonly alarm: (text: string) => void) {
    const form = byId("stop");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.now();
    });
    // Pressed, not released: a finger on the way up is too late.
    form.querySelector("button")!.addEventListener("pointerdown", () => this.now());
    this.reset.addEventListener("click", () => this.link.send("reset", { id: newId() }));
    addEventListener("keydown", (event) => this.key(event), { capture: true });
    document.documentElement.dataset.ready = "yes"; // early.ts has nothing to do any more
  }

  private key(event: KeyboardEvent): void {
    if (event.code !== "Escape" && (event.code !== "Space" || typing(event.target))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!event.repeat) this.now();
  }

  now(): void {
    const now = performance.now();
    if (this.asked && now - this.asked < confirmWithin) return; // one press is one stop
    this.asked = now;
    clearTimeout(this.second);
    clearTimeout(this.last);
    if (this.link.send("stop", "button on the page")) this.second = setTimeout(() => this.halted || this.post(), confirmWithin);
    else this.post();
    setText(this.word, "Stopping");
    this.last = setTimeout(() => {
      if (!this.halted) this.alarm("The robot did not confirm the stop: use its own switch.");
      setText(this.word, "Stop");
    }, giveUpAfter);
  }

  private post(): void {
    fetch("/stop", { method: "POST", keepalive: true }).catch(() => {});
  }

  /** Follows the mode of the robot. */
  update(mode: Mode): void {
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
