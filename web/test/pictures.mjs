// Takes the pictures of docs/ from a robot that runs (kuai run):
//
//   node web/test/pictures.mjs http://localhost:8080/ docs "pick up the red block"

import { chromium } from "playwright-core";

const [url, folder, text] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(viewport, colorScheme) {
  const page = await (await browser.newContext({ viewport, colorScheme })).newPage();
  await page.goto(url);
  await page.waitForSelector("#mode[data-mode=held]");
  await page.waitForFunction(() => document.querySelector(".camera.large .away").hidden);
  return page;
}

const desk = await open({ width: 1280, height: 860 }, "light");
const phone = await open({ width: 390, height: 844 }, "dark");
await desk.waitForTimeout(3000); // let the browser come to rest
await desk.fill("#text", text);
await desk.keyboard.press("Enter");
await desk.waitForSelector(".step[data-outcome=running]");
await desk.waitForTimeout(2200); // the arm is under way
await desk.screenshot({ path: `${folder}/page.png` });
await phone.screenshot({ path: `${folder}/page-phone.png` });
await browser.close();
