// Drives the page in a real browser against a made-up robot that
// internal/web's TestBrowser serves. It asks that test to restart the server by
// a line on standard output and waits for a line in return.
//
//   node web/test/page.mjs URL [FOLDER for screenshots]

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [url, folder] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const desk = { width: 1280, height: 860 };
const phone = { width: 390, height: 844 };
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Complaints of every page; what is expected is taken out again. */
let complaints = [];

async function open(options = {}) {
  const context = await browser.newContext({ viewport: desk, colorScheme: "light", bypassCSP: false, ...options });
  const page = await context.newPage();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(m.text()));
  page.on("pageerror", (e) => complaints.push(String(e)));
  page.on("request", (r) => {
    if (!r.url().startsWith(url) && !r.url().startsWith(url.replace("http", "ws")) && !r.url().startsWith("blob:")) complaints.push(`asked for ${r.url()}`);
  });
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await page.waitForSelector("#mode[data-mode=held], #mode[data-mode=moving], #mode[data-mode=stopped]");
  return page;
}

const mode = (page, name) => page.waitForSelector(`#mode[data-mode=${name}]`);

async function ask(page, text) {
  await page.fill("#text", text);
  await page.keyboard.press("Enter");
}

async function reset(page) {
  await page.click("#reset");
  await mode(page, "held");
}

async function picture(page, name) {
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}

/** Accessibility by the rules of axe-core. */
async function accessible(page) {
  // The page's own policy allows no foreign script, so the rules run in the
  // isolated world that evaluate has.
  const { readFileSync } = await import("node:fs");
  await page.evaluate(readFileSync(axe, "utf8"));
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`), []);
}

const tests = {
  async "an instruction to its success, on two pages at once"() {
    const [one, two] = [await open(), await open({ viewport: phone, colorScheme: "dark", hasTouch: true })];
    await one.waitForSelector("#examples button");
    await picture(one, "page-empty");
    await ask(one, "put the red block in the blue bowl");
    for (const page of [one, two]) {
      await page.waitForSelector(".step:nth-child(2)");
      assert.equal(await page.textContent(".ask q"), "put the red block in the blue bowl");
      assert.deepEqual(await page.locator("#plan-by .chip.scripted").allTextContents(), ["skills: scripted", "can: scripted"]);
      assert.equal(await page.locator(".step:nth-child(2) tr.chosen").count(), 1);
    }
    await picture(one, "page-running");
    await picture(two, "phone-running");
    for (const page of [one, two]) {
      await page.waitForSelector(".status[data-status=succeeded]");
      assert.equal(await page.locator(".step[data-outcome=succeeded]").count(), 3);
      await accessible(page);
    }
    assert.equal(await one.locator(".line.you").count(), 1);
    assert.match(await one.textContent("#talk"), /understood.*done/s);
  },

  async "pictures come and say how old they are"() {
    const page = await open();
    await page.waitForFunction(() => /\d+\/s · \d+ ms old/.test(document.querySelector(".camera.large figcaption").textContent));
    const [red] = await page.evaluate(() => [...document.querySelector(".camera.large canvas").getContext("2d").getImageData(60, 150, 1, 1).data]);
    assert.ok(red > 150, `the red block is ${red}`);
    await page.click(".thumbs button");
    assert.equal(await page.textContent(".camera.large figcaption b"), "wrist");
  },

  async "the space bar stops mid-motion, and typing a space does not"() {
    const page = await open();
    await page.fill("#text", "put");
    await page.keyboard.type(" it down");
    assert.equal(await page.inputValue("#text"), "put it down");
    assert.equal(await page.getAttribute("#mode", "data-mode"), "held");
    await page.keyboard.press("Enter");
    await mode(page, "moving");
    await page.keyboard.press("Space");
    await mode(page, "stopped");
    await page.waitForSelector(".status[data-status=failed]");
    await picture(page, "page-stopped");
    await accessible(page);
    await reset(page);
    await page.focus("#text");
    await page.keyboard.press("Escape");
    await mode(page, "stopped");
    await reset(page);
    // A focused button takes the space bar to stop, not to press it.
    await page.focus("#theme");
    const before = await page.getAttribute("html", "data-theme");
    await page.keyboard.press("Space");
    await mode(page, "stopped");
    assert.equal(await page.getAttribute("html", "data-theme"), before);
    await reset(page);
  },

  async "the button stops, by mouse, by finger and without scripts"() {
    const page = await open();
    await page.click("#stop button");
    await mode(page, "stopped");
    await reset(page);
    const finger = await open({ viewport: phone, hasTouch: true });
    await finger.tap("#stop button");
    await mode(page, "stopped");
    await picture(finger, "phone-stopped");
    await reset(page);
    const plain = await open({ javaScriptEnabled: false });
    await plain.click("#stop button");
    await mode(page, "stopped");
    await reset(page);
  },

  async "the stop button is in view wherever one scrolls, and nothing runs off the side"() {
    for (const viewport of [desk, phone, { width: 320, height: 568 }, { width: 768, height: 1024 }]) {
      const page = await open({ viewport });
      for (const y of [0, 400, 100_000]) {
        await page.evaluate((y) => scrollTo(0, y), y);
        const box = await page.locator("#stop button").boundingBox();
        assert.ok(box.x >= 0 && box.x + box.width <= viewport.width && box.y + box.height <= viewport.height && box.height >= 44,
          `${viewport.width}: ${JSON.stringify(box)}`);
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= viewport.width, `${viewport.width} px: the page is ${wide} px wide`);
      await page.context().close();
    }
  },

  async "what the robot says is text, never markup"() {
    const page = await open();
    await ask(page, '<img src=x onerror="document.title=1">');
    await page.waitForSelector(".ask q");
    await page.waitForFunction(() => document.querySelector(".ask q").textContent.includes("<img"));
    assert.equal(await page.locator("#talk img, #plan img").count(), 0);
    await page.keyboard.press("Space");
    await mode(page, "stopped");
    await reset(page);
  },

  async "everything is reached by the keyboard"() {
    const page = await open();
    const reached = new Set();
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.closest("[id]")?.id));
    }
    for (const id of ["stop", "theme", "text", "send", "cameras"]) assert.ok(reached.has(id), `${id} is not reached: ${[...reached]}`);
  },

  async "after a restart the page connects again by itself"() {
    const page = await open();
    console.log("restart");
    await page.waitForSelector("#mode[data-mode=lost]");
    assert.match(await page.textContent("#alarm"), /No connection/);
    assert.equal((await answers.next()).value, "restarted");
    await mode(page, "held");
    await page.waitForFunction(() => document.querySelector("#alarm").hidden);
    await page.waitForFunction(() => document.querySelector(".camera.large .away").hidden);
    // The browser itself complains of the refused connections.
    complaints = complaints.filter((c) => !/ERR_CONNECTION_REFUSED|WebSocket connection/.test(c));
    await page.keyboard.press("Space");
    await mode(page, "stopped");
    await reset(page);
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    assert.deepEqual(complaints, [], "the browser complained");
    console.log(`ok: ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED: ${name}: ${error.stack}`);
  }
  complaints = [];
  for (const context of browser.contexts()) await context.close();
}
await browser.close();
process.exit(failed);
