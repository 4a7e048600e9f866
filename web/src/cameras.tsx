// Live pictures: one socket a camera. Each picture is answered when it has been
// drawn, so the daemon never sends more than the page can show.

import { render } from "preact";
import { byId, make, setText } from "./dom";
import type { Heat, Mark } from "./messages";

const staleAfter = 2000; // ms without a picture before the page says so
const longestRetry = 3000;
const stampBytes = 8;

class Camera {
  readonly button: HTMLButtonElement;
  readonly figure: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly warmth = make("canvas", { class: "heat", "aria-hidden": "true" });
  private readonly overlay = document.createElementNS("http://www.w3.org/2000/svg", "svg");
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
    this.figure = make("figure", { class: "camera" }, this.canvas, this.warmth, this.overlay, this.away, this.button,
      make("figcaption", {}, make("b", {}, name), this.rate));
    this.overlay.setAttribute("aria-hidden", "true"); // the plan says the same in words
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
        this.overlay.setAttribute("viewBox", `0 0 ${bitmap.width} ${bitmap.height}`);
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

  /** Lays a grid of heat over the picture; null takes it away. The browser smooths it. */
  heat(heat: Heat | null): void {
    const { warmth } = this;
    warmth.hidden = !heat || heat.cells.length !== heat.columns * heat.rows;
    if (!heat || warmth.hidden) return;
    const grid = make("canvas");
    [grid.width, grid.height] = [heat.columns, heat.rows];
    const image = new ImageData(heat.columns, heat.rows);
    heat.cells.forEach((cell, i) => image.data.set([255, 190 - 1.3 * cell, 40, 1.7 * cell], 4 * i));
    grid.getContext("2d")?.putImageData(image, 0, 0);
    // As large as the picture, so that both lie in the frame in the same way.
    [warmth.width, warmth.height] = [this.canvas.width, this.canvas.height];
    warmth.getContext("2d")?.drawImage(grid, 0, 0, warmth.width, warmth.height);
  }

  /** Draws marks over the picture. */
  mark(marks: Mark[]): void {
    const { width, height } = this.canvas;
    render(marks.map((m) => <Target key={m.name} mark={m} width={width} height={height} />), this.overlay);
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

const leastRadius = 0.025; // of the picture's height

function Target({ mark, width, height }: { mark: Mark; width: number; height: number }) {
  const radius = height * Math.max(leastRadius, 0.62 * mark.size);
  const [x, y] = [mark.x * width, mark.y * height];
  return (
    <g class="target">
      <circle cx={x} cy={y} r={radius} />
      <text x={x} y={Math.max(y - radius - 0.02 * height, 0.05 * height)} font-size={0.034 * height}>{mark.name}</text>
    </g>
  );
}

export class Cameras {
  private readonly stage = byId("cameras");
  private cameras: Camera[] = [];
  private heats: Heat[] = [];

  constructor() {
    setInterval(() => this.cameras.forEach((c) => c.tick(performance.now())), 250);
  }

  /** Shows the cameras called names, the first large. */
  set(names: string[]): void {
    if (names.length > 0 && names.join("\n") === this.cameras.map((c) => c.name).join("\n")) return;
    this.cameras.forEach((c) => c.close());
    this.cameras = names.map((name) => new Camera(name));
    for (const camera of this.cameras) camera.button.addEventListener("click", () => this.enlarge(camera));
    this.heat(this.heats);
    if (this.cameras[0]) this.enlarge(this.cameras[0]);
    else this.stage.replaceChildren(make("p", { class: "empty" }, "No camera is configured."));
  }

  /** Shows where the affordance model sees the running step. */
  heat(heats: Heat[]): void {
    this.heats = heats;
    for (const camera of this.cameras) camera.heat(heats.find((h) => h.camera === camera.name) ?? null);
  }

  /** Shows what the running step is about. */
  mark(marks: Mark[]): void {
    for (const camera of this.cameras) camera.mark(marks.filter((m) => m.camera === camera.name));
  }

  private enlarge(camera: Camera): void {
    for (const c of this.cameras) c.figure.classList.toggle("large", c === camera);
    const others = this.cameras.filter((c) => c !== camera);
    this.stage.replaceChildren(camera.figure, make("div", { class: "thumbs" }, ...others.map((c) => c.figure)));
  }
}
