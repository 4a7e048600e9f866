// What the tests of the page share: a browser, pages that note what they send
// and complain of, and what a person does to them.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
export const desk = { width: 1280, height: 860 };
export const phone = { width: 390, height: 844 };

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", `--use-file-for-fake-audio-capture=${tone()}`],
});

/** What the microphone hears: 440 Hz at a rate that is not the robot's. */
function tone(rate = 44100, seconds = 10) {
  const samples = rate * seconds; // a whole number of waves, since it is played again and again
  const wav = Buffer.alloc(44 + 2 * samples);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + 2 * samples, 4);
  wav.write("WAVEfmt ", 8);
  [[16, 4], [1, 2], [1, 2], [rate, 4], [2 * rate, 4], [2, 2], [16, 2]].reduce((at, [value, bytes]) => wav.writeUIntLE(value, at, bytes), 16);
  wav.write("data", 36);
  wav.writeUInt32LE(2 * samples, 40);
  for (let i = 0; i < samples; i++) wav.writeInt16LE(Math.round(16000 * Math.sin((2 * Math.PI * 440 * i) / rate)), 44 + 2 * i);
  const path = join(mkdtempSync(join(tmpdir(), "kuai-tone-")), "tone.wav");
  writeFileSync(path, wav);
  process.on("exit", () => rmSync(dirname(path), { recursive: true }));
  return path;
}

/** Opens the page at url; what it complains of goes into complaints. */
export async function openPage(browser, url, complaints, options = {}) {
  const context = await browser.newContext({ viewport: desk, colorScheme: "light", ...options });
  context.setDefaultTimeout(20_000); // the machine may be busy
  const page = await context.newPage();
  page.steered = []; // what the page sent on topic teleop
  page.states = 0; // how many states it was told
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => {
      const { topic, payload: m } = typeof payload === "string" && payload.startsWith("{") ? JSON.parse(payload) : {};
      if (topic === "teleop") page.steered.push(m);
    });
    socket.on("framereceived", ({ payload }) => typeof payload === "string" && payload.startsWith('{"topic":"state"') && page.states++);
  });
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(m.text()));
  page.on("pageerror", (e) => complaints.push(String(e)));
  page.on("request", (r) => {
    if (!r.url().startsWith(url) && !r.url().startsWith(url.replace("http", "ws")) && !r.url().startsWith("blob:")) complaints.push(`asked for ${r.url()}`);
  });
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await page.waitForSelector("#mode[data-mode=held], #mode[data-mode=moving], #mode[data-mode=stopped]");
  return page;
}

export const mode = (page, name) => page.waitForSelector(`#mode[data-mode=${name}]`);

export async function ask(page, text) {
  await page.fill("#text", text);
  await page.keyboard.press("Enter");
}

export async function reset(page) {
  await page.click("#reset");
  await mode(page, "held");
}

export const angle = async (page, joint) => parseFloat(await page.textContent(`.joint:nth-child(${joint}) .reading`));

/** Waits until the page has been told n more states. */
export async function states(page, n) {
  for (const until = page.states + n; page.states < until; ) await page.waitForEvent("websocket", { timeout: 25 }).catch(() => {});
}

export async function takeControls(page) {
  await page.click("#steer");
  await page.waitForSelector("#steer-state");
}

/**
 * Steers a joint by press until it has turned by degrees, lets go, and checks
 * that it stands still, but for slack degrees.
 */
export async function steer(page, press, release, joint, degrees, says, slack = 0) {
  const before = await angle(page, joint);
  const from = page.steered.length;
  await press();
  await page.waitForFunction(([joint, goal, sign]) =>
    sign * (parseFloat(document.querySelector(`.joint:nth-child(${joint}) .reading`).textContent) - goal) >= 0,
  [joint, before + degrees, Math.sign(degrees)]);
  assert.equal(await page.textContent("#steer-state"), `You steer: ${says}`);
  await page.waitForFunction(() => document.querySelector("#mode").textContent.includes("steered"));
  await release();
  await mode(page, "held");
  const rest = await angle(page, joint);
  const sent = page.steered.slice(from);
  assert.ok(sent.slice(0, -1).every((m) => m.velocity[joint - 1] * degrees > 0), `sent ${JSON.stringify(sent)}`);
  assert.ok(sent.at(-1).velocity.every((v) => v === 0), `the last message is ${JSON.stringify(sent.at(-1))}`);
  assert.ok(sent.every((m, i) => i === 0 || m.at > sent[i - 1].at), "the times do not grow");
  await states(page, 5);
  assert.equal(page.steered.length, from + sent.length, "something is sent after the release");
  const moved = Math.abs(await angle(page, joint) - rest);
  assert.ok(moved <= slack, `the joint moves on by ${moved}°`);
}

/** Accessibility by the rules of axe-core. */
export async function accessible(page) {
  // The page's own policy allows no foreign script, so the rules run in the
  // isolated world that evaluate has.
  await page.evaluate(readFileSync(axe, "utf8"));
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`), []);
}

/** Runs tests, prints how they went and gives how many failed. */
export async function run(browser, tests, complaints) {
  let failed = 0;
  for (const [name, test] of Object.entries(tests)) {
    const began = performance.now();
    try {
      await test();
      assert.deepEqual(complaints, [], "the browser complained");
      console.log(`ok: ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed++;
      console.log(`FAILED: ${name}: ${error.stack}`);
    }
    complaints.length = 0;
    for (const context of browser.contexts()) await context.close();
  }
  await browser.close();
  return failed;
}
