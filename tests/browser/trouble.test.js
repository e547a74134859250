// What goes wrong, and what hostile texts try.

import assert from "node:assert/strict";
import { test } from "node:test";
import { article, exported, lines, read, serve, shown, workplace } from "./support.js";

const place = workplace();
/** What Chromium itself writes on the console when an answer is no success. */
const REFUSED = /console: Failed to load resource/;

const notice = (page) => page.locator("#notices .notice");

test("a text that is markup stays a text", async (t) => {
  const page = await place.open(t);
  const attacks = [
    "<script>window.stolen = 1</script> said Ilka Dorn.",
    "“<img src=x onerror='window.stolen = 1'> is shut,” said <b onmouseover='stolen=1'>Ilka Dorn</b>.",
    "\"><svg onload=window.stolen=1> said that javascript:alert(1) “</textarea></title><iframe src=/docs/>” would close.",
    "{{constructor.constructor('stolen=1')()}} ${stolen} said Ilka </p><style>*{display:none}</style> Dorn.",
  ];
  const text = attacks.join("\n\n");
  const file = { name: "<img src=x onerror=stolen=1>.txt", mimeType: "text/plain", buffer: Buffer.from(text) };
  await page.setInputFiles("#file", file);
  await page.waitForFunction(() => document.getElementById("text").value.length > 0);
  await page.click("#find");
  await page.waitForSelector("#article p");
  assert.deepEqual(await shown(page), lines(text));
  assert.equal(await page.textContent("#document-name"), file.name);
  await page.hover("#article .segment >> nth=0");
  for (const button of await page.locator("#people-list [data-statement]").all()) await button.click();
  await page.fill("#speaker", "<img src=x onerror=stolen=1>");
  await page.press("#speaker", "Enter");
  await page.waitForSelector("#people-list h3 >> text=<img src=x");
  const foreign = await page.$$eval("main :is(script, img, svg, iframe, style, b[onmouseover])", (all) => all.length);
  assert.equal(foreign, 0);
  const html = await exported(page, "page html");
  assert.doesNotMatch(html.name, /[<>]/);
  const other = await page.context().newPage();
  // The policy inside the file is tested by a server without one.
  await other.route("**/exported", (route) => route.fulfill({ contentType: "text/html", body: html.text }));
  await other.goto(`${place.server.url}/exported`);
  assert.equal(await other.$$eval("body :is(script, img, svg, iframe, style)", (all) => all.length), 0);
  for (const tab of [page, other]) assert.equal(await tab.evaluate(() => typeof window.stolen), "undefined");
});

test("a server that was still starting is asked again what it is", async (t) => {
  const page = await place.open(t, { faults: [REFUSED] });
  await page.route("**/info", (route) => route.fulfill({ status: 503, json: { error: { code: "starting" } } }));
  await page.reload();
  await page.unroute("**/info");
  await read(page, "“No,” said Ilka Dorn.");
  await page.click("#anew");
  await page.waitForFunction(() => / of [\d,]+$/.test(document.getElementById("size").textContent));
});

test("half a character does not spoil a text", async (t) => {
  const page = await place.open(t);
  await page.evaluate(() => { document.getElementById("text").value = "“It is \ud83d shut,” said Ilka Dorn."; });
  await page.click("#find");
  await page.waitForSelector("#article .segment");
  assert.deepEqual(await shown(page), ["“It is \ufffd shut,” said Ilka Dorn."]);
});

test("without an article the page says what to do", async (t) => {
  const page = await place.open(t);
  for (const text of ["", " \n\t "]) {
    await page.fill("#text", text);
    await page.click("#find");
    assert.match(await notice(page).textContent(), /no article yet/);
    assert.equal(await page.evaluate(() => document.activeElement.id), "text");
  }
});

test("when the server is down the page says so, keeps the text, and goes on when it is back", async (t) => {
  let server = await serve("--port", "0");
  const page = await place.open(t, { url: server.url, faults: [REFUSED] });
  await server.stop();
  await page.fill("#text", article("harbour"));
  await page.click("#find");
  await notice(page).locator("[role=alert]").waitFor();
  assert.match(await notice(page).textContent(), /does not answer/);
  assert.equal(await page.inputValue("#text"), article("harbour"));
  server = await serve("--port", new URL(server.url).port);
  try {
    await page.click("#notices >> text=Try again");
    await page.waitForSelector("#article .segment");
    assert.equal(await notice(page).count(), 0);
  } finally {
    await server.stop();
  }
});

test("a server with a key asks for it", async (t) => {
  const server = await serve("--port", "0", "--api-key", "right-key");
  try {
    const page = await place.open(t, { url: server.url, faults: [REFUSED] });
    await page.waitForSelector("#key-row:not([hidden])");
    await page.fill("#text", "“No,” said Ilka Dorn.");
    await page.click("#find");
    await notice(page).locator("text=needs an API key").waitFor();
    await page.fill("#key", "wrong-key");
    await page.click("#find");
    await notice(page).locator("text=not valid").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "key");
    await page.fill("#key", "right-key");
    await page.click("#find");
    await page.waitForSelector("#article .segment");
    assert.doesNotMatch(page.url(), /key/);
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    await page.reload();
    assert.equal(await page.inputValue("#key"), "right-key");
  } finally {
    await server.stop();
  }
});

test("what is too long is refused with the limit, before or by the server", async (t) => {
  const server = await serve("--port", "0", "--max-characters", "500", "--max-body-bytes", "2000");
  try {
    const page = await place.open(t, { url: server.url, faults: [REFUSED] });
    await page.waitForLoadState("networkidle");
    const say = async (text) => {
      await page.fill("#text", text);
      await page.click("#find");
      await notice(page).locator("[role=alert]").waitFor();
      return notice(page).textContent();
    };
    assert.match(await say("It rains. ".repeat(60)), /600 characters.*500 at most/);
    // Characters count, not UTF-16 units; but bytes have a limit of their own.
    assert.match(await say("🚢".repeat(499)), /too large.*2,000 bytes/);
    await read(page, `“No,” said Ilka Dorn. ${"🚢".repeat(300)}`);
    await page.click("#anew");
    // A page that does not know the limit learns it from the refusal.
    await page.route("**/info", (route) => route.abort());
    await page.reload();
    assert.match(await say("It rains. ".repeat(60)), /too long for this server, which takes 500 characters at most/);
  } finally {
    await server.stop();
  }
});

test("a server that is busy is asked again, and one may stop", async (t) => {
  const page = await place.open(t, { faults: [REFUSED] });
  let [refusals, seconds] = [1, "1"];
  let asked = 0;
  await page.route("**/v1/extract", (route) => {
    asked++;
    if (refusals-- <= 0) return route.continue();
    const error = { code: "overloaded", message: "too much is waiting", details: {} };
    return route.fulfill({ status: 429, headers: { "Retry-After": seconds }, json: { error } });
  });
  await page.fill("#text", "“No,” said Ilka Dorn.");
  await page.click("#find");
  await notice(page).locator("text=more to do than it can").waitFor();
  await page.waitForSelector("#article .segment");
  assert.equal(asked, 2);
  await page.click("#anew");
  // Time enough to press the button.
  [refusals, seconds] = [100, "600"];
  await page.click("#find");
  await page.click("#notices >> text=Stop");
  assert.equal(await notice(page).count(), 0);
  assert(await page.isEnabled("#find"));
  assert.equal(asked, 3);
});

test("other errors are told in the server's words", async (t) => {
  const page = await place.open(t, { faults: [REFUSED] });
  const answers = [
    [500, { json: { error: { code: "inference_failed", message: "this document made the program fail" } } }],
    [502, { body: "<html>Bad gateway</html>", contentType: "text/html" }],
    [200, { json: { results: [{ id: "article", error: { code: "empty_document", message: "there is no text" } }] } }],
    [200, { body: "{\"results\": [", contentType: "application/json" }],
  ];
  const said = [/This document made the program fail\./, /status 502/, /There is no text\./, /broke off/];
  for (const [index, [status, answer]] of answers.entries()) {
    await page.route("**/v1/extract", (route) => route.fulfill({ status, ...answer }));
    await page.fill("#text", "It rains.");
    await page.click("#find");
    await notice(page).locator("[role=alert]").waitFor();
    assert.match(await notice(page).textContent(), said[index]);
    await page.unroute("**/v1/extract");
  }
});

test("reading shows that it is under way and can be cancelled", async (t) => {
  const page = await place.open(t);
  await page.route("**/v1/extract", () => {});
  await page.fill("#text", article("harbour"));
  await page.click("#find");
  await page.waitForSelector("#notices progress");
  assert.match(await page.textContent("#notices"), /Reading [\d,]+ characters/);
  assert(await page.isDisabled("#find"));
  await page.waitForFunction(() => /[1-9] s/.test(document.getElementById("notices").textContent));
  await page.click("#notices >> text=Cancel");
  assert.equal(await notice(page).count(), 0);
  assert(await page.isEnabled("#find"));
  await page.unroute("**/v1/extract");
  await page.click("#find");
  await page.waitForSelector("#article .segment");
});

test("warnings of the server are shown", async (t) => {
  const page = await place.open(t);
  await read(page, "Der Hafen bleibt bis Donnerstag geschlossen, sagte die Direktorin am Montag vor der Presse in der Altstadt.");
  assert.match(await notice(page).textContent(), /not English/);
});
