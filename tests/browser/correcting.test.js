// Corrections by hand, and what can be taken home.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import {
  ROOT, article, doubleClick, exported, extract, lines, lit, onrecord, read, select, shown, words, workplace,
} from "./support.js";

const place = workplace();

/** Attributions of a downloaded annotation, with the words in place of the offsets. */
function attributions({ text }) {
  const document = JSON.parse(text);
  // Offsets count code points.
  const points = [...document.text];
  const words = (spans) => spans.map(([start, end]) => points.slice(start, end).join(""));
  return document.attributions.map((it) => ({
    ...it, source: words(it.source), cue: words(it.cue), content: words(it.content),
  }));
}

test("an annotation that nobody has touched is what the model found", async (t) => {
  const page = await place.open(t);
  const text = await read(page, article("border"));
  const file = await exported(page, "page gold");
  assert.equal(file.name, "article.gold.jsonl");
  const found = (await extract(place.server.url, text)).statements;
  const said = (spans) => spans.map(({ text }) => text);
  assert.deepEqual(
    attributions(file).map(({ source, cue, content, speaker }) => ({ source, cue, content, speaker })),
    found.map(({ source, cue, content, speaker }) => ({
      source: said(source), cue: said(cue), content: said(content), speaker: speaker?.name ?? null,
    })));
  assert.deepEqual(new Set(attributions(file).map(({ form }) => form)), new Set(["name", "pronoun", "nominal"]));
  // Both readers take it: the scorer, for which the model's own answer is right, and the trainer.
  const scores = JSON.parse(onrecord("eval", "statements", file.path, "--json"));
  assert.equal(scores["statement strict"].f1, 100);
  assert.equal(scores["speaker all"]["end to end"], 100);
  const trainer = "import sys; from corpora import readers; print(len(readers.read_extra(sys.argv[1])[0].statements))";
  const options = { cwd: `${ROOT}/scripts/train`, encoding: "utf8" };
  const number = execFileSync("python3", ["-B", "-c", trainer, file.path], options);
  assert.equal(Number(number), found.length);
});

test("spans, speakers and statements are corrected, and the corrections go home", async (t) => {
  const page = await place.open(t);
  const text = `🚢🚢 A preface.\n\n${article("harbour")}`;
  await read(page, text);
  const before = (await extract(place.server.url, text)).statements;
  const target = before.find(({ source, cue, content }) => source.length === 1 && cue.length && content.length === 1);
  await page.click(`[data-statement="${target.id}"]`);
  assert(await page.isDisabled("#undo"));

  // A border moves by a word, and back.
  const content = page.locator("#inspector .role.content .words");
  const whole = await content.textContent();
  await page.click("#inspector [aria-label='end a word earlier'] >> nth=-1");
  const shorter = await content.textContent();
  assert(whole.startsWith(shorter) && shorter.length < whole.length, shorter);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "end a word earlier");
  await page.click("#inspector [aria-label='end a word later'] >> nth=-1");
  assert.equal(await content.textContent(), whole);
  assert.match(await page.textContent("#inspector header"), /by hand/);

  // A source is taken away and another one selected.
  await page.click("#inspector [aria-label='remove this source']");
  assert.equal(await page.textContent("#inspector .role.source .nothing"), "none");
  await select(page, "Tessaly Ferries");
  await page.click("#selection >> text=Add to source");
  assert.equal(await page.textContent("#inspector .role.source .words"), "Tessaly Ferries");
  await page.mouse.move(5, 5);
  assert.equal(await lit(page, "source"), "TessalyFerries");
  assert(await page.isHidden("#selection"));

  // Its speaker becomes somebody new, together with somebody known.
  await page.fill("#speaker", "Tessaly Ferries");
  await page.press("#speaker", "Tab");
  await page.waitForSelector("#people-list h3 >> text=Tessaly Ferries");
  assert.equal(await page.evaluate(() => document.activeElement.id), "together", "the Tab key goes on from there");
  await page.fill("#together", "Tomas Bekker");
  await page.press("#together", "Enter");
  await page.waitForSelector("#inspector .other >> text=Tomas Bekker");

  // Another statement is removed, and a new one is made, by a double click on a word.
  const gone = before.find(({ id }) => id !== target.id);
  await page.click(`[data-statement="${gone.id}"]`);
  await page.click("#inspector >> text=Remove statement");
  assert(await page.isHidden("#inspector"));
  assert.equal(await page.locator(`[data-statement="${gone.id}"]`).count(), 0);
  await doubleClick(page, "preface");
  await page.click("#selection >> text=New statement");
  assert.equal(await content.textContent(), "preface");
  await page.fill("#speaker", "Ilka Dorn");
  await page.press("#speaker", "Enter");

  await page.waitForSelector("#people-list h3 >> text=Ilka Dorn");

  // A triple click selects the last paragraph, and no more than that.
  await page.locator("#article p").last().click({ clickCount: 3, position: { x: 5, y: 10 } });
  await page.click("#selection >> text=New statement");
  assert.equal(await content.textContent(), lines(text).at(-1));
  await page.click("#inspector >> text=Remove statement");

  const file = await exported(page, "page gold");
  const after = attributions(file);
  assert.equal(after.length, before.length);
  const changed = after.find((it) => it.content[0] === whole);
  assert.deepEqual([changed.source, changed.speaker, changed.others, changed.form],
    [["Tessaly Ferries"], "Tessaly Ferries", ["Tomas Bekker"], "name"]);
  assert(!after.some((it) => it.content[0] === gone.content[0].text));
  const added = after.find((it) => it.content[0] === "preface");
  assert.deepEqual(added, {
    source: [], cue: [], content: ["preface"], kind: "Attribution-no-source", speaker: "Ilka Dorn", others: [],
    aliases: ["Ilka Dorn"], form: "none",
  });
  assert.equal(JSON.parse(onrecord("eval", "statements", file.path, "--json")).documents.gold, 1);

  // Everything can be undone.
  while (await page.isEnabled("#undo")) await page.click("#undo");
  assert.deepEqual(attributions(await exported(page, "page gold")).map(({ content }) => content),
    before.map(({ content }) => content.map(({ text }) => text)));
  assert.deepEqual(await shown(page), lines(text));
});

test("corrections are not lost without a question", async (t) => {
  const page = await place.open(t);
  await read(page, article("harbour"));
  await page.click("#people-list [data-statement] >> nth=0");
  await page.click("#inspector >> text=Remove statement");
  let asked = 0;
  page.on("dialog", (dialog) => (asked++, dialog.dismiss()));
  await page.click("#anew");
  assert.equal(asked, 1);
  assert(await page.isVisible("#reading"), "no is no");
  await exported(page, "page gold");
  await page.click("#anew");
  assert(await page.isVisible("#desk"));
  assert.equal(asked, 1, "what has been downloaded is safe");
});

test("the result is exported as JSON, CSV and HTML", async (t) => {
  const page = await place.open(t);
  const text = `=HYPERLINK("x") said “No, ""never"",\u2028” said Ilka Dorn.\n\n${article("harbour")}`;
  await read(page, text);
  const found = await extract(place.server.url, text);

  const json = await exported(page, "page json");
  assert.deepEqual(JSON.parse(json.text), found);

  const csv = await exported(page, "page csv");
  assert.equal(csv.text[0], "\ufeff", "spreadsheets are told that it is UTF-8");
  const reader = `import csv, json, sys
with open(sys.argv[1], encoding="utf-8-sig", newline="") as file:
    print(json.dumps(list(csv.DictReader(file))))`;
  const rows = JSON.parse(execFileSync("python3", ["-c", reader, csv.path], { encoding: "utf8" }));
  assert.equal(rows.length, found.statements.length);
  for (const [index, row] of rows.entries()) {
    const plain = (text) => text.replace(/^'/, "").replace(/\s+|…/g, "");
    assert.equal(plain(row.content), plain(words(found.statements[index], "content")));
    assert.equal(row.speaker, found.statements[index].speaker?.name ?? "");
    assert(Object.values(row).every((value) => !/^[=+@]/.test(value)), JSON.stringify(row));
  }

  const html = await exported(page, "page html");
  const other = await page.context().newPage();
  await other.setContent(html.text);
  const paragraphs = await other.$$eval("main p", (all) => all.map((it) => {
    it.querySelectorAll("sup").forEach((number) => number.remove());
    return it.textContent;
  }));
  assert.deepEqual(paragraphs, lines(text));
  assert.equal(await other.locator("dt").count(), found.statements.length);
  assert.match(await other.textContent("footer"), /check against the text/);
  await other.close();
});

test("only what is shown is exported as CSV, and everything as annotation", async (t) => {
  const page = await place.open(t);
  const text = article("campaign");
  await read(page, text);
  const { statements } = await extract(place.server.url, text);
  await page.click(".filter-box summary");
  await page.fill("#minimum", "0.95");
  await page.waitForFunction(() => document.getElementById("tally").textContent.includes(" of "));
  const sure = statements.filter(({ score }) => score >= 0.95).length;
  assert.equal((await exported(page, "page csv")).text.trim().split("\r\n").length - 1, sure);
  assert.equal(attributions(await exported(page, "page gold")).length, statements.length);
});

test("the server's forms are offered, and are what it answers with", async (t) => {
  const page = await place.open(t);
  const text = article("harbour");
  await read(page, text);
  const { statements } = await extract(place.server.url, text);
  const offered = await page.$$eval("#server-exports button", (all) => all.map((it) => it.dataset.export.split(" ")[1]));
  const { export_formats: formats } = await (await fetch(`${place.server.url}/info`)).json();
  assert.deepEqual(offered, formats);
  for (const format of formats) {
    const file = await exported(page, `server ${format}`);
    assert.match(file.name, /^article\.\w+/);
    const response = await fetch(`${place.server.url}/v1/extract?format=${format}`, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ documents: [{ id: "article", text }] }),
    });
    const words = (answer) => answer.replaceAll(/article[\w.%-]*/g, "");
    assert.equal(words(file.text), words(await response.text()), format);
  }
  const citron = JSON.parse((await exported(page, "server citron")).text);
  assert.equal(citron.quotes.length, statements.length);
});

test("a form that the page does not know is offered under its own name", async (t) => {
  const page = await place.open(t);
  await page.route("**/info", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), export_formats: ["brat", "hologram"] } });
  });
  await page.route("**/v1/extract?format=*", (route) => route.fulfill({
    body: `${route.request().url().split("=")[1]} ${route.request().postDataJSON().documents[0].text}`,
  }));
  await page.reload();
  await read(page, "“No,” said Ilka Dorn.");
  const offered = await page.$$eval("#server-exports b", (all) => all.map((it) => it.textContent));
  assert.deepEqual(offered, ["brat standoff", "hologram"]);
  const brat = await exported(page, "server brat");
  assert.deepEqual([brat.name, brat.text], ["article.ann", "brat “No,” said Ilka Dorn."]);
  assert.equal((await exported(page, "server hologram")).name, "article.hologram");
});
