// Stops the robot by the space bar and Escape before, and without, the rest of
// the page: a few hundred bytes that wait for nothing. The stop button itself is
// a plain form, which needs no script at all.

import { typing } from "./dom";

addEventListener("keydown", (event) => {
  if (event.code !== "Escape" && (event.code !== "Space" || typing(event.target))) return;
  if (document.documentElement.dataset.ready) return; // stop.ts knows a faster way
  event.preventDefault();
  if (!event.repeat) fetch("/stop", { method: "POST", keepalive: true }).catch(() => {});
}, { capture: true });
