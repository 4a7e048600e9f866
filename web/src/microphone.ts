// Runs beside the sound card: what the microphone gives becomes pieces of 20 ms
// at 16 kHz, from "start" to "end". It is a file of its own, because an
// AudioWorklet has a world of its own.

import { Resampler } from "./resample";

const rate = 16000;
const pieceSamples = rate / 50;

/** What the page is told: 16-bit samples and when the first was captured, on the audio clock. */
export interface Piece {
  pcm: Int16Array;
  at: number; // s
  peak: number; // 0 to 1
  last: boolean;
}

// TypeScript's library knows the page's world alone.
declare const sampleRate: number;
declare const currentTime: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class Microphone extends AudioWorkletProcessor {
  private resampler: Resampler | null = null; // null while the button is up
  private began = 0;
  private made = 0; // samples in the pieces before
  private pcm = new Int16Array(pieceSamples);
  private filled = 0;
  private peak = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => (data === "start" ? this.start() : this.end());
  }

  private start(): void {
    this.resampler = new Resampler(sampleRate, rate);
    this.began = currentTime;
    this.made = 0;
    this.filled = 0;
    this.peak = 0;
  }

  private end(): void {
    if (!this.resampler) return;
    this.resampler = null;
    this.send(true);
  }

  process([input]: Float32Array[][]): boolean {
    const [channel] = input ?? [];
    if (channel && this.resampler) this.resampler.push(channel, (sample) => this.take(sample));
    return true;
  }

  private take(sample: number): void {
    const bounded = Math.max(-1, Math.min(1, sample));
    this.peak = Math.max(this.peak, Math.abs(bounded));
    this.pcm[this.filled++] = Math.round(bounded * 32767);
    if (this.filled === pieceSamples) this.send(false);
  }

  private send(last: boolean): void {
    const piece: Piece = { pcm: this.pcm.slice(0, this.filled), at: this.began + this.made / rate, peak: this.peak, last };
    this.port.postMessage(piece, [piece.pcm.buffer]);
    this.made += this.filled;
    this.filled = 0;
    this.peak = 0;
  }
}

registerProcessor("microphone", Microphone);
