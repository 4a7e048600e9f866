// The WebSocket to the daemon: messages {topic, payload} in both directions,
// connected again whenever it is lost.

import type { Messages } from "./messages";

const firstRetry = 250;
const longestRetry = 3000;

export class Link {
  #socket: WebSocket | null = null;
  #retry = firstRetry;
  #handlers = new Map<string, (payload: never) => void>();

  /** onchange(open) is told when the connection comes and goes. */
  constructor(private readonly onchange: (open: boolean) => void) {
    this.#connect();
  }

  /** Calls handle(payload) for every message on topic. */
  on<T extends keyof Messages>(topic: T, handle: (payload: Messages[T]) => void): this {
    this.#handlers.set(topic, handle);
    return this;
  }

  get open(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends a message now, or gives false: what is sent later would be out of date. */
  send(topic: string, payload: unknown): boolean {
    if (!this.open) return false;
    this.#socket!.send(JSON.stringify({ topic, payload }));
    return true;
  }

  #connect(): void {
    const socket = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
    this.#socket = socket;
    socket.onopen = () => {
      this.#retry = firstRetry;
      this.onchange(true);
    };
    socket.onmessage = ({ data }) => {
      const { topic, payload } = JSON.parse(data);
      this.#handlers.get(topic)?.(payload as never);
    };
    socket.onclose = () => {
      this.onchange(false);
      setTimeout(() => this.#connect(), this.#retry);
      this.#retry = Math.min(2 * this.#retry, longestRetry);
    };
  }
}
