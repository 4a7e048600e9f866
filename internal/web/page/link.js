// The WebSocket to the daemon: messages {topic, payload} in both directions,
// connected again whenever it is lost.

const firstRetry = 250;
const longestRetry = 3000;

export class Link {
  #socket = null;
  #retry = firstRetry;
  #handlers = new Map();

  /** onchange(open) is told when the connection comes and goes. */
  constructor(onchange) {
    this.onchange = onchange;
    this.#connect();
  }

  /** Calls handle(payload) for every message on topic. */
  on(topic, handle) {
    this.#handlers.set(topic, handle);
    return this;
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends a message now, or gives false: what is sent later would be out of date. */
  send(topic, payload) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify({ topic, payload }));
    return true;
  }

  #connect() {
    const socket = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
    this.#socket = socket;
    socket.onopen = () => {
      this.#retry = firstRetry;
      this.onchange(true);
    };
    socket.onmessage = ({ data }) => {
      const { topic, payload } = JSON.parse(data);
      this.#handlers.get(topic)?.(payload);
    };
    socket.onclose = () => {
      this.onchange(false);
      setTimeout(() => this.#connect(), this.#retry);
      this.#retry = Math.min(2 * this.#retry, longestRetry);
    };
  }
}
