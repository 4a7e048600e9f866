// Drives the page in a real browser against the simulated robot that
// internal/daemon's TestBrowser runs.
//
//   node web/test/robot.mjs URL

import assert from "node:assert/strict";
import { ask, launch, mode, openPage, reset, run, steer, takeControls } from "./browser.mjs";

const [url] = process.argv.slice(2);
const browser = await launch();
const complaints = [];
const open = () => openPage(browser, url, complaints);
const settling = 0.5; // degrees that a joint with a load gives way as it comes to rest

const tests = {
  async "an instruction to its success"() {
    const page = await open();
    await ask(page, "pick up the red block");
    await page.waitForSelector(".step[data-outcome=running]");
    await page.waitForSelector(".camera.large .target");
    await page.waitForSelector(".status[data-status=succeeded]", { timeout: 60_000 });
    await page.waitForFunction(() => /capture.*score.*chunk.*command.*together/s.test(document.querySelector("#stages").textContent));
    assert.match(await page.textContent("#talk"), /understood.*done/s);
  },

  async "a picture is drawn soon after it was taken"() {
    const page = await open();
    const ages = () => page.evaluate(() => /(\d+) ms old/.exec(document.querySelector(".camera.large figcaption").textContent)?.[1]);
    // From the exposure to the drawn canvas, both on this machine's clock. The
    // machine may be busy: the best of what is seen counts.
    await page.waitForFunction(() => Number(/(\d+) ms old/.exec(document.querySelector(".camera.large figcaption").textContent)?.[1] ?? 1e9) < 150);
    console.log(`page.camera_latency ${await ages()} ms, drawn in the browser`);
  },

  async "a joint turns while a key is held"() {
    const page = await open();
    await takeControls(page);
    await steer(page, () => page.keyboard.down("KeyA"), () => page.keyboard.up("KeyA"), 1, -6, "shoulder pan −", settling);
    await steer(page, () => page.keyboard.down("KeyQ"), () => page.keyboard.up("KeyQ"), 1, 6, "shoulder pan +", settling);
  },

  async "a stop in motion, and a reset"() {
    const page = await open();
    await takeControls(page);
    await page.keyboard.down("KeyQ");
    await mode(page, "moving");
    await page.keyboard.press("Space");
    await mode(page, "stopped");
    await page.keyboard.up("KeyQ");
    assert.match(await page.textContent("#reason"), /button on the page/);
    await reset(page);
  },
};

process.exit(await run(browser, tests, complaints));
