// How numbers are written for a person.

/** Writes a probability so that small ones can be told apart. */
export function probability(p: number): string {
  if (p >= 0.01 || p === 0) return p.toFixed(2);
  return p < 1e-99 ? "0" : p.toExponential(0);
}

/** Writes a number with so many digits after the point, and no −0. */
export const fixed = (value: number, digits: number): string => (Math.round(value * 10 ** digits) / 10 ** digits + 0).toFixed(digits);

export function seconds(s: number): string {
  return s < 10 ? `${s.toFixed(1)} s` : s < 120 ? `${Math.round(s)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}

export function milliseconds(ms: number): string {
  return ms < 0.1 ? "< 0.1 ms" : ms < 9.95 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** "shoulder_pan" as one says it. */
export const spoken = (name: string): string => name.replaceAll("_", " ");

/** An identifier that no other page chooses. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return "page-" + Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
