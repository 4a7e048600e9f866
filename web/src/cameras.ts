// Live pictures: one socket a camera. Each picture is answered when it has been
// drawn, so the daemon never sends more than the page can show.

import { byId, make, setText } from "./dom";

const staleAfter = 2000; // ms without a picture before the page says so
const longestRetry = 3000;
const stampBytes = 8;

class Camera {
  readonly button: HTMLButtonElement;
  readonly figure: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly rate = make("span");
  private readonly away = make("div", { class: "away" }, "waiting for the first picture");
  private drawn: number[] = []; // when the pictures of the last seconds were drawn
  private last = 0;
  private age = 0; // s
  private retry = 250;
  private closed = false;
  private socket!: WebSocket;

  constructor(readonly name: string) {
    this.canvas = make("canvas", { role: "img", "aria-label": `picture of camera ${name}` });
    this.button = make("button", { type: "button", "aria-label": `Show camera ${name} large` });
    this.figure = make("figure", { class: "camera" }, this.canvas, this.away, this.button,
      make("figcaption", {}, make("b", {}, name), this.rate));
    this.connect();
  }

  private connect(): void {
    const socket = new WebSocket(new URL(`/ws/camera/${this.name}`, location.href.replace(/^http/, "ws")));
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.draw(socket, data);
    socket.onclose = () => {
      if (this.closed) return;
      setTimeout(() => this.closed || this.connect(), this.retry);
      this.retry = Math.min(2 * this.retry, longestRetry);
    };
  }

  close(): void {
    this.closed = true;
    this.socket.close();
  }

  private async draw(socket: WebSocket, data: ArrayBuffer): Promise<void> {
    try {
      const captured = new DataView(data).getFloat64(0, true);
      const bitmap = await createImageBitmap(new Blob([new Uint8Array(data, stampBytes)], { type: "image/jpeg" }));
      if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
        this.canvas.width = bitmap.width;
        this.canvas.height = bitmap.height;
      }
      this.canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
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
  tick(now: number): void {
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
  private readonly stage = byId("cameras");
  private cameras: Camera[] = [];

  constructor() {
    setInterval(() => this.cameras.forEach((c) => c.tick(performance.now())), 250);
  }

  /** Shows the cameras called names, the first large. */
  set(names: string[]): void {
    if (names.length > 0 && names.join("\n") === this.cameras.map((c) => c.name).join("\n")) return;
    this.cameras.forEach((c) => c.close());
    this.cameras = names.map((name) => new Camera(name));
    for (const camera of this.cameras) camera.button.addEventListener("click", () => this.enlarge(camera));
    if (this.cameras[0]) this.enlarge(this.cameras[0]);
    else this.stage.replaceChildren(make("p", { class: "empty" }, "No camera is configured."));
  }

  private enlarge(camera: Camera): void {
    for (const c of this.cameras) c.figure.classList.toggle("large", c === camera);
    const others = this.cameras.filter((c) => c !== camera);
    this.stage.replaceChildren(camera.figure, make("div", { class: "thumbs" }, ...others.map((c) => c.figure)));
  }
}
