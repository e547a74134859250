// What the tests of the page have in common: servers, a browser, and pages that let no fault pass.

import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";

const { ONRECORD_BINARY: BINARY, ONRECORD_CHROMIUM: CHROMIUM, ONRECORD_BROWSER_HOME: HOME } = process.env;
assert(BINARY && CHROMIUM && HOME, "start this with tests/browser/run or scripts/screenshots");

const require = createRequire(join(HOME, "/"));
const { chromium } = require("playwright-core");

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** An article of ours, by name. */
export function article(name) {
  return readFileSync(join(ROOT, "tests/fixtures/articles", `${name}.txt`), "utf8");
}

function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("ONRECORD_")));
}

/** Runs the command and returns what it writes. */
export function onrecord(...args) {
  return execFileSync(BINARY, args, { encoding: "utf8", env: environment() });
}

/** Starts a server that is ready to answer. */
export async function serve(...args) {
  const child = spawn(BINARY, ["serve", "--log", "warn", "--request-timeout", "5m", ...args], {
    stdio: ["ignore", "ignore", "pipe"], env: environment(),
  });
  const url = await new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stderr });
    lines.on("line", (line) => line.startsWith("listening on ") && resolve(line.slice("listening on ".length)));
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  while (!(await fetch(`${url}/health/ready`)).ok) await new Promise((resolve) => setTimeout(resolve, 20));
  const ended = new Promise((resolve) => child.on("exit", resolve));
  return { url, stop: () => (child.kill(), ended) };
}

/** Starts a browser. As root it cannot have its sandbox. */
export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: process.getuid() !== 0 });
}

/** The result for a text, as the page asks for it. */
export async function extract(url, text) {
  const response = await fetch(`${url}/v1/extract`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ documents: [{ id: "article", text }], options: { offset_unit: "utf16" } }),
  });
  return (await response.json()).results[0];
}

/**
 * A browser and a server for the tests of a file. `open` gives a page; when it is closed, nothing may have gone wrong
 * in it: no error of a script, no word on the console, no breach of the policy, no request to anybody else.
 */
export function workplace(...args) {
  const place = {};
  before(async () => {
    place.server = await serve("--port", "0", ...args);
    place.browser = await launch();
  });
  after(async () => {
    await place.browser?.close();
    await place.server?.stop();
  });
  place.open = async (test, { url = place.server.url, faults = [], ...options } = {}) => {
    const context = await place.browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    // A busy machine is no fault.
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const found = [];
    page.on("console", (message) => found.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => found.push(`error: ${error.stack}`));
    page.on("request", (request) => {
      const isOurs = request.url().startsWith(url) || request.url().startsWith("blob:");
      if (!isOurs) found.push(`request to ${request.url()}`);
    });
    await page.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`)));
    test.after(async () => {
      await context.close();
      const unexpected = found.filter((fault) => !faults.some((expected) => expected.test(fault)));
      assert.deepEqual(unexpected, []);
    });
    await page.goto(url);
    return page;
  };
  return place;
}

/**
 * Pastes a text, and returns it as the browser hands it over: a text area's value has LF for every end of a line, says
 * the standard of HTML, and browsers differ in when they begin with that.
 */
export async function paste(page, text) {
  await page.fill("#text", text);
  const pasted = await page.inputValue("#text");
  assert.equal(pasted.replaceAll("\r\n", "\n"), text.replaceAll("\r\n", "\n"));
  return pasted;
}

/** Pastes a text and waits until it can be read. Returns it as the page has it. */
export async function read(page, text) {
  const pasted = await paste(page, text);
  await page.click("#find");
  await page.waitForSelector("#reading:not([hidden]) #article p");
  return pasted;
}

/** The paragraphs of a text, as the page should show them. */
export function lines(text) {
  return text.split("\n").filter((line) => line.trim());
}

/** The paragraphs that the page shows. */
export function shown(page) {
  return page.$$eval("#article p", (paragraphs) => paragraphs.map((paragraph) => paragraph.textContent));
}

/** The words of all lit segments of a role, spaces taken together. */
export async function lit(page, role) {
  const words = await page.$$eval(`#article .lit.${role}`, (found) => found.map((element) => element.textContent));
  return words.join("").replace(/\s+/g, "");
}

/** What a statement says in a role, spaces taken together. */
export function words(statement, role) {
  return statement[role].map(({ text }) => text).join("").replace(/\s+/g, "");
}

/** Clicks twice on a word of the article, wherever the fonts of this machine have put it. */
export async function doubleClick(page, word) {
  const paragraph = page.locator("#article p", { hasText: word }).first();
  const position = await paragraph.evaluate((paragraph, word) => {
    const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
    while (walker.nextNode() && !walker.currentNode.data.includes(word));
    const range = document.createRange();
    range.setStart(walker.currentNode, walker.currentNode.data.indexOf(word));
    range.setEnd(walker.currentNode, range.startOffset + word.length);
    const [box, around] = [range.getBoundingClientRect(), paragraph.getBoundingClientRect()];
    return { x: box.x + box.width / 2 - around.x, y: box.y + box.height / 2 - around.y };
  }, word);
  await paragraph.dblclick({ position });
}

/** Selects the first occurrence of words in the article, which must stand in one paragraph. */
export async function select(page, words) {
  await page.evaluate((words) => {
    const paragraph = [...document.querySelectorAll("#article p")].find((line) => line.textContent.includes(words));
    const start = paragraph.textContent.indexOf(words);
    const place = (offset, isEnd) => {
      const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
      for (let passed = 0; walker.nextNode(); passed += walker.currentNode.length) {
        const here = offset - passed;
        const { length } = walker.currentNode;
        if (here < length || (isEnd && here === length)) return [walker.currentNode, here];
      }
    };
    getSelection().setBaseAndExtent(...place(start, false), ...place(start + words.length, true));
  }, words);
}

/** What a button under "Export" gives: the file's name and contents. */
export async function exported(page, format) {
  await page.click("#export summary");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.click(`#export [data-export="${format}"]`),
  ]);
  const path = await download.path();
  return { name: download.suggestedFilename(), path, text: readFileSync(path, "utf8") };
}
