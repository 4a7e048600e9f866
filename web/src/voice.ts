// Push-to-talk: while the button or the key T is held, what the microphone hears
// goes to the robot over a socket of its own, so that sound never stands before
// a stop. The microphone is opened by the first press and let go when nobody has
// talked for a while.

import { byId, setText, typing } from "./dom";
import type { Piece } from "./microphone";

const keepOpenFor = 60_000; // ms after the newest talk
const stampBytes = 8;
const key = "KeyT";

/** Says why the browser gives no microphone, and what to do. */
export function whyNot(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
      return "the browser does not let this page use the microphone: allow it beside the address";
    case "NotFoundError":
      return "there is no microphone: connect one, or type";
    case "NotReadableError":
      return "the microphone cannot be opened: does another program use it?";
  }
  return `the microphone does not work: ${error instanceof Error ? error.message : error}`;
}

/** An open microphone and its socket. */
interface Line {
  context: AudioContext;
  stream: MediaStream;
  worklet: AudioWorkletNode;
  socket: WebSocket;
}

export class Voice {
  private readonly button = byId("voice") as HTMLButtonElement;
  private readonly word = byId("voice-word");
  private readonly level = byId("voice-level");
  private readonly held = new Set<string>(); // what holds the button: pointer, Enter, key
  private line: Line | null = null;
  private opening = false;
  private talking = false;
  private allowed = false;
  private idle = 0;

  /** say(kind, text) puts a line into the conversation. */
  constructor(private readonly say: (kind: string, text: string) => void) {
    const { button } = this;
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.press("pointer");
    });
    for (const up of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(up, () => this.release("pointer"));
    button.addEventListener("contextmenu", (event) => event.preventDefault()); // a finger that stays
    button.addEventListener("keydown", (event) => event.code === "Enter" && !event.repeat && this.press("Enter"));
    button.addEventListener("blur", () => this.release("Enter"));
    addEventListener("keydown", (event) => this.keydown(event));
    addEventListener("keyup", ({ code }) => this.release(code === key ? "key" : code));
    for (const away of ["blur", "pagehide"]) addEventListener(away, () => this.releaseAll());
    document.addEventListener("visibilitychange", () => document.hidden && this.releaseAll());
    addEventListener("focusin", (event) => typing(event.target) && this.releaseAll());
  }

  /** Learns whether somebody listens; reason says why not. */
  describe(reason: string, allowed: boolean): void {
    this.allowed = reason === "" && allowed;
    this.button.hidden = !this.allowed;
    const note = byId("voice-note");
    note.hidden = this.allowed || !allowed;
    setText(note, `no talk button: ${reason}`);
    if (!this.allowed) this.close();
  }

  private keydown(event: KeyboardEvent): void {
    if (event.code !== key || event.repeat || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.press("key");
  }

  private press(by: string): void {
    if (!this.allowed) return;
    this.held.add(by);
    clearTimeout(this.idle);
    void this.begin();
  }

  private release(by: string): void {
    if (this.held.delete(by) && this.held.size === 0) this.end();
  }

  private releaseAll(): void {
    if (this.held.size === 0) return;
    this.held.clear();
    this.end();
  }

  private async begin(): Promise<void> {
    if (this.talking || this.opening) return;
    this.opening = true;
    this.show("opening", "Microphone …");
    try {
      this.line ??= await this.open();
    } catch (error) {
      this.held.clear();
      this.say("bad", `not heard: ${whyNot(error)}`);
    } finally {
      this.opening = false;
    }
    // The button may be up again: the browser asked for permission meanwhile.
    if (!this.line || this.held.size === 0) {
      this.rest();
      return;
    }
    this.talking = true;
    await this.line.context.resume();
    this.line.socket.send('{"talk":"start"}');
    this.line.worklet.port.postMessage("start");
    this.show("listening", "Listening");
  }

  /** The piece that is under way comes first: the worklet sends it as the last. */
  private end(): void {
    if (this.talking) this.line?.worklet.port.postMessage("end");
    this.talking = false;
    if (!this.opening) this.rest();
  }

  private rest(): void {
    this.show("idle", "Talk");
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.close(), keepOpenFor);
  }

  private async open(): Promise<Line> {
    if (!navigator.mediaDevices) throw new Error("browsers give it only to pages over https, or on the robot itself (see tls in the configuration)");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true } });
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule("/assets/microphone.js");
      const worklet = new AudioWorkletNode(context, "microphone", { numberOfOutputs: 0 });
      context.createMediaStreamSource(stream).connect(worklet);
      const socket = await connect(new URL("/ws/talk", location.href.replace(/^http/, "ws")));
      const line = { context, stream, worklet, socket };
      worklet.port.onmessage = ({ data }) => this.hand(line, data);
      socket.onmessage = ({ data }) => this.answered(JSON.parse(data));
      socket.onclose = () => this.lost(line);
      return line;
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      void context.close();
      throw error;
    }
  }

  /** Sends a piece with the time of its capture. */
  private hand({ context, socket }: Line, { pcm, at, peak, last }: Piece): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    const captured = Date.now() / 1000 - (context.currentTime - at);
    const frame = new DataView(new ArrayBuffer(stampBytes + 2 * pcm.length));
    frame.setFloat64(0, captured, true);
    pcm.forEach((sample, i) => frame.setInt16(stampBytes + 2 * i, sample, true));
    if (pcm.length > 0) socket.send(frame.buffer);
    if (last) socket.send('{"talk":"end"}');
    // Of loudness one hears the logarithm: 50 dB fill the meter.
    this.level.style.width = `${last ? 0 : Math.max(0, 100 + 40 * Math.log10(Math.max(peak, 1e-4)))}%`;
  }

  private answered({ talk, reason }: { talk: string; reason?: string }): void {
    if (talk !== "refused") return;
    this.say("bad", `not heard: ${reason}`);
    this.releaseAll();
  }

  private lost(line: Line): void {
    if (this.line !== line) return; // closed by us
    if (this.talking) this.say("bad", "not heard to the end: the connection was lost");
    this.close();
  }

  private close(): void {
    const { line } = this;
    this.line = null;
    this.talking = false;
    this.held.clear();
    if (!line) return;
    line.stream.getTracks().forEach((track) => track.stop());
    line.socket.close();
    void line.context.close();
    this.show("idle", "Talk");
  }

  private show(state: string, word: string): void {
    this.button.dataset.state = state;
    this.button.setAttribute("aria-pressed", String(state === "listening"));
    setText(this.word, word);
    if (state === "idle") this.level.style.width = "0";
  }
}

function connect(url: URL): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error("there is no connection to the robot"));
  });
}
