// Takes the pictures of docs/ from the simulated robot (make pictures):
//
//   node web/test/pictures.mjs bin/kuai docs

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "./browser.mjs";

const [kuai, folder] = process.argv.slice(2);

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Starts kuai on free ports, with larger pictures than it renders by default. */
async function start() {
  const [rtsp, broker, web] = [await freePort(), await freePort(), await freePort()];
  const scratch = await mkdtemp(join(tmpdir(), "kuai-pictures-"));
  await writeFile(join(scratch, "robot.yaml"), `
sim: {demo: "", camera: {width: 640, height: 480, rate_hz: 10}, rtsp: {listen: "127.0.0.1:${rtsp}"}}
cameras: [{name: front, url: "rtsp://127.0.0.1:${rtsp}/front"}, {name: wrist, url: "rtsp://127.0.0.1:${rtsp}/wrist"}]
broker: {listen: "127.0.0.1:${broker}"}
web: {listen: "127.0.0.1:${web}"}
`);
  const robot = spawn(kuai, ["run", "--config", join(scratch, "robot.yaml")], { stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise((end) => robot.once("exit", end));
  const stop = async () => {
    robot.kill("SIGINT");
    await ended;
    await rm(scratch, { recursive: true });
  };
  return { url: `http://127.0.0.1:${web}/`, ended, stop };
}

/** Opens the page as soon as somebody answers there. */
async function open(browser, url, options) {
  const page = await (await browser.newContext(options)).newPage();
  for (;;) {
    try {
      await page.goto(url);
      break;
    } catch (error) {
      if (!String(error).includes("ERR_CONNECTION_REFUSED")) throw error;
      await page.waitForTimeout(200);
    }
  }
  await page.waitForSelector("#mode[data-mode=held]");
  await page.waitForFunction(() => document.querySelector(".camera.large .away").hidden && document.querySelector(".thumbs .away").hidden);
  return page;
}

async function takePictures(url) {
  const browser = await launch();
  const desk = await open(browser, url, { viewport: { width: 1440, height: 1000 }, deviceScaleFactor: 1.5, colorScheme: "light" });
  const phone = await open(browser, url, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: "dark", hasTouch: true, isMobile: true });
  await desk.fill("#text", "put the red block in the blue bowl");
  await desk.keyboard.press("Enter");
  // On its way to the bowl, with the block in the gripper.
  await desk.waitForSelector(".step:nth-child(2)[data-outcome=running]");
  await desk.waitForSelector(".waterfall");
  await desk.waitForTimeout(600);
  await Promise.all([
    desk.screenshot({ path: join(folder, "page.png") }), phone.screenshot({ path: join(folder, "page-phone.png") }),
  ]);
  await browser.close();
}

const robot = await start();
try {
  await Promise.race([takePictures(robot.url), robot.ended.then((code) => { throw new Error(`kuai ended with ${code}`); })]);
} finally {
  await robot.stop();
}
