// The way from a picture to the command that follows from it, as a waterfall:
// each stage begins where the one before ended.

import { render } from "preact";
import { byId, setText } from "./dom";
import type { Health, Stage } from "./messages";
import { milliseconds } from "./words";

const meanings: Record<string, string> = {
  capture: "age of the oldest picture when the policy looks at it",
  score: "the language model and the affordances choose the next skill; once a step",
  chunk: "from the look, or the choice, to the chunk of motion",
  command: "from the chunk to the driver's first command that follows it",
};

export class StagesView {
  private readonly root = byId("stages");
  private readonly note = byId("stages-note");

  update(health: Health): void {
    const stages = health.stages ?? [];
    byId("stages-panel").hidden = stages.length === 0;
    if (stages.length === 0) return;
    const { loop } = health;
    setText(this.note, loop ? `loop ${Math.round(loop.rate_hz)} Hz · ${loop.jitter_p99_ms.toFixed(2)} ms p99 late` : "");
    render(<Waterfall stages={stages} />, this.root);
  }
}

function Waterfall({ stages }: { stages: Stage[] }) {
  const starts = stages.map((_, i) => stages.slice(0, i).reduce((sum, s) => sum + s.ms, 0));
  const end = starts.at(-1)! + stages.at(-1)!.ms;
  const scale = 100 / Math.max(end, ...stages.map((s, i) => Math.min(starts[i]! + s.p99_ms, 2 * end)), 1);
  const share = (ms: number) => `${Math.min(100, ms * scale)}%`;
  return (
    <table class="waterfall">
      <thead class="hidden"><tr><th scope="col">stage</th><th scope="col">newest</th><th scope="col">99 of 100 within</th></tr></thead>
      <tbody>
        {stages.map((s, i) => (
          <tr key={s.name} title={meanings[s.name]}>
            <th scope="row">{s.name}</th>
            <td>
              <div class="lane" aria-hidden="true">
                <i class="late" style={{ left: share(starts[i]!), width: `min(${share(s.p99_ms)}, 100% - ${share(starts[i]!)})` }} />
                <i class={`took ${s.name}`} style={{ left: share(starts[i]!), width: share(s.ms) }} />
              </div>
              <span class="ms">{milliseconds(s.ms)}</span>
            </td>
            <td class="p99">p99 {milliseconds(s.p99_ms)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot><tr><th scope="row">together</th><td><span class="ms">{milliseconds(end)}</span></td><td /></tr></tfoot>
    </table>
  );
}
