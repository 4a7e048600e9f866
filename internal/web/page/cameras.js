// Live pictures: one socket a camera. Each picture is answered when it has been
// drawn, so the daemon never sends more than the page can show.

import { byId, make, setText } from "./dom.js";

const staleAfter = 2000; // ms without a picture before the page says so
const stampBytes = 8;

class Camera {
  constructor(name) {
    this.name = name;
    this.canvas = make("canvas", { role: "img", "aria-label": `picture of camera ${name}` });
    this.rate = make("span");
    this.away = make("div", { class: "away" }, "waiting for the first picture");
    this.button = make("button", { type: "button", "aria-label": `Show camera ${name} large` });
    this.figure = make("figure", { class: "camera" }, this.canvas, this.away, this.button,
      make("figcaption", {}, make("b", {}, name), this.rate));
    this.drawn = []; // when the pictures of the last second were drawn
    this.last = 0;
    this.age = 0;
    this.retry = 250;
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(new URL(`/ws/camera/${this.name}`, location.href.replace(/^http/, "ws")));
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => this.draw(data);
    this.socket.onclose = () => {
      if (this.closed) return;
      setTimeout(() => this.closed || this.connect(), this.retry);
      this.retry = Math.min(2 * this.retry, 3000);
    };
  }

  close() {
    this.closed = true;
    this.socket.close();
  }

  async draw(data) {
    const socket = this.socket;
    try {
      const captured = new DataView(data).getFloat64(0, true);
      const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, stampBytes)], { type: "image/jpeg" }));
      if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
        this.canvas.width = bitmap.width;
        this.canvas.height = bitmap.height;
      }
      this.canvas.getContext("2d").drawImage(bitmap, 0, 0);
      bitmap.close();
      this.last = performance.now();
      this.age = Date.now() / 1000 - captured;
      this.drawn.push(this.last);
      this.retry = 250;
      this.away.hidden = true;
    } finally {
      if (socket.readyState === WebSocket.OPEN) socket.send("drawn");
    }
  }

  /** Called a few times a second: a picture that stands still must say so. */
  tick(now) {
    this.drawn = this.drawn.filter((t) => now - t < 2000);
    const silent = now - this.last;
    if (this.last > 0 && silent > staleAfter) {
      this.away.hidden = false;
      setText(this.away, `no picture for ${Math.round(silent / 1000)} s`);
      setText(this.rate, "");
      return;
    }
    // The age means something only where both clocks agree.
    const age = this.age > 0 && this.age < 5 ? ` · ${Math.round(this.age * 1000)} ms old` : "";
    if (this.last > 0) setText(this.rate, ` · ${Math.round(this.drawn.length / 2)}/s${age}`);
  }
}

export class Cameras {
  constructor() {
    this.stage = byId("cameras");
    this.cameras = [];
    setInterval(() => this.cameras.forEach((c) => c.tick(performance.now())), 250);
  }

  /** Shows the cameras called names, the first large. */
  set(names) {
    if (names.join("\n") === this.cameras.map((c) => c.name).join("\n")) return;
    this.cameras.forEach((c) => c.close());
    this.cameras = names.map((name) => new Camera(name));
    for (const camera of this.cameras) camera.button.addEventListener("click", () => this.enlarge(camera));
    if (this.cameras.length > 0) this.enlarge(this.cameras[0]);
    else this.stage.replaceChildren(make("p", { class: "empty" }, "No camera is configured."));
  }

  enlarge(camera) {
    for (const c of this.cameras) c.figure.classList.toggle("large", c === camera);
    const others = this.cameras.filter((c) => c !== camera);
    this.stage.replaceChildren(camera.figure, make("div", { class: "thumbs" }, ...others.map((c) => c.figure)));
  }
}
