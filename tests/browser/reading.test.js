// An article goes in; its statements can be seen, pointed at, walked through and filtered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { article, extract, lines, lit, paste, read, shown, words, workplace } from "./support.js";

const place = workplace();

/** Checks that a statement is lit, and no other. */
async function checkLit(page, statement) {
  for (const role of ["source", "cue", "content"]) {
    assert.equal(await lit(page, role), words(statement, role), `${statement.id} ${role}`);
  }
}

test("a pasted article is shown whole, with every statement in its place", async (t) => {
  const page = await place.open(t);
  const text = article("council");
  await read(page, text);
  assert.deepEqual(await shown(page), lines(text));
  const found = await extract(place.server.url, text);
  assert(found.statements.length > 5);
  for (const statement of found.statements) {
    await page.click(`#people-list [data-statement="${statement.id}"] >> nth=0`);
    await checkLit(page, statement);
    const first = page.locator("#inspector .role.content .words").first();
    assert.equal(await first.textContent(), statement.content[0].text);
    assert.match(await page.textContent("#inspector header"), new RegExp(`score ${statement.score.toFixed(2)}`));
  }
  const title = new RegExp(`^${found.statements.length} statements by \\d+ speakers$`);
  assert.match(await page.textContent("#reading-title"), title);
  assert.match(await page.textContent(".caution"), /Check against the text/);
});

test("speakers are listed with all their statements, and say where they are a guess", async (t) => {
  const page = await place.open(t);
  const text = article("council");
  await read(page, text);
  const { speakers, statements } = await extract(place.server.url, text);
  for (const speaker of speakers.filter((speaker) => speaker.statements.length)) {
    const group = page.locator("#people-list .person", { has: page.locator("h3 bdi", { hasText: speaker.name }) });
    assert.equal(await group.locator("[data-statement]").count(), speaker.statements.length, speaker.name);
  }
  const guessed = statements.find((statement) => ["pronoun", "nominal"].includes(statement.speaker?.via));
  assert.match(await page.textContent(`[data-statement="${guessed.id}"]`), /a guess/);
  const floating = statements.find((statement) => statement.floating);
  assert.match(await page.textContent(`[data-statement="${floating.id}"]`), /floating/);
  const nobody = statements.filter((statement) => !statement.speaker).length;
  const last = page.locator("#people-list .person", { hasText: "Nobody named" });
  assert.equal(await last.locator("[data-statement]").count(), nobody);
});

test("pointing at a span lights its whole statement and tells of it", async (t) => {
  const page = await place.open(t);
  await read(page, article("council"));
  const { statements } = await extract(place.server.url, article("council"));
  const statement = statements.find(({ source, cue, content }) => source.length && cue.length && content.length > 1);
  await page.locator("#article .cue", { hasText: statement.cue[0].text }).first().hover();
  await checkLit(page, statement);
  const hint = await page.textContent("#hint");
  assert(hint.includes(statement.speaker.name) && hint.includes(statement.kind) && hint.includes("score 0."), hint);
  await page.mouse.move(5, 5);
  assert.equal(await page.locator("#article .lit").count(), 0);
  assert(await page.isHidden("#hint"));
});

test("the keys go from statement to statement", async (t) => {
  const page = await place.open(t);
  const text = article("harbour");
  await read(page, text);
  const { statements } = await extract(place.server.url, text);
  const stops = await page.$$eval("#article [tabindex='0']", (stops) => stops.length);
  assert.equal(stops, 1, "one stop of the Tab key, however many statements");
  await page.focus("#article [tabindex='0']");
  // In the order in which their contents stand in the text.
  const ordered = [...statements].sort((one, two) => one.content[0].start - two.content[0].start);
  for (const statement of ordered) {
    assert.equal(await lit(page, "content"), words(statement, "content"));
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-describedby")), "hint");
    assert((await page.textContent("#hint")).includes(statement.speaker?.name ?? "nobody named"));
    await page.keyboard.press("ArrowRight");
  }
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  assert(await page.isVisible("#inspector"));
  assert.equal(await page.getAttribute("#article [tabindex='0']", "aria-pressed"), "true");
  await page.keyboard.press("Escape");
  assert(await page.isHidden("#inspector"));
  assert(await page.evaluate(() => document.activeElement.closest("#article") !== null), "the place is kept");
});

test("filters hide what is not wanted, and say how much", async (t) => {
  const page = await place.open(t);
  const text = article("campaign");
  await read(page, text);
  const { statements, entities } = await extract(place.server.url, text);
  const visible = () => page.$$eval("#people-list [data-statement]",
    (all) => [...new Set(all.map((it) => it.dataset.statement))]);
  const expected = (keep) => statements.filter(keep).map(({ id }) => id);
  const same = async (keep, what) => {
    const number = expected(keep).length;
    await page.waitForFunction((number) => new Set([...document.querySelectorAll("#people-list [data-statement]")]
      .map((it) => it.dataset.statement)).size === number, number);
    assert.deepEqual((await visible()).sort(), expected(keep).sort(), what);
  };
  await page.click(".filter-box summary");
  const box = (value) => page.locator(`#filters .chip:has(input[value="${value}"])`);
  await same(() => true, "everything");
  for (const value of ["direct", "indirect", "mixed", "speech", "thought", "positive", "negative"]) {
    await box(value).click();
    await same((it) => ![it.kind, it.act, it.polarity].includes(value), `without ${value}`);
    await box(value).click();
  }
  await box("true").click();
  await same((it) => !it.floating, "without floating ones");
  await box("true").click();
  await page.fill("#minimum", "0.9");
  await same((it) => it.score >= 0.9, "sure ones");
  const number = expected((it) => it.score >= 0.9).length;
  assert.equal(await page.textContent("#tally"), `${number} of ${statements.length} statements`);
  const kept = await page.$$eval("#article .content[role]", (anchors) => anchors.length);
  assert.equal(kept, number, "the text shows the same");
  await page.fill("#minimum", "0");
  await same(() => true, "everything again");

  const labels = () => page.$$eval("#article [data-label]", (all) => all.map((it) => it.dataset.label).sort());
  const of = (...names) => entities.map(({ label }) => label).filter((label) => names.includes(label)).sort();
  assert.deepEqual(await labels(), of("PER", "ORG", "LOC"));
  await box("PER").click();
  await box("DATE").click();
  await page.waitForSelector("#article [data-label='DATE']");
  assert.deepEqual(await labels(), of("ORG", "LOC", "DATE"));
});

test("text from right to left, emoji and combining marks keep their places", async (t) => {
  const page = await place.open(t);
  const text = [
    "🚂🇫🇷 “Trains 👩🏽‍🚒 run,” said Zoë Ŝmit 🦀 in Zürich. She e\u0301xpects 🎉 more 🚂 by May.",
    "قالت ليلى حداد: «الميناء مغلق حتى يوم الخميس» 🚢.",
    "“We will wait 🕰️,” said שרה לוי, who runs the port. “Let it rain.”",
    "שרה לוי אמרה: “הנמל סגור”.",
  ].join("\n\n");
  await read(page, text);
  assert.deepEqual(await shown(page), lines(text));
  const directions = await page.$$eval("#article p", (all) => all.map((it) => getComputedStyle(it).direction));
  assert.deepEqual(directions, ["ltr", "rtl", "ltr", "rtl"]);
  const { statements } = await extract(place.server.url, text);
  assert(statements.length >= 2);
  for (const statement of statements) {
    await page.click(`#people-list [data-statement="${statement.id}"] >> nth=0`);
    await checkLit(page, statement);
  }
});

test("a file is dropped or chosen, in UTF-8 or UTF-16; what is no text is refused", async (t) => {
  const page = await place.open(t);
  const drop = (name, bytes) => page.evaluate(([name, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name));
    for (const type of ["dragover", "drop"]) {
      document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
    }
  }, [name, [...bytes]]);
  const value = (expected) => page.waitForFunction((text) => document.getElementById("text").value === text, expected);
  await drop("harbour.txt", Buffer.from("“No,” said Ilka Dorn.\r\n🚢\r\n"));
  await value("“No,” said Ilka Dorn.\n🚢\n");
  await drop("utf16.txt", Buffer.from("\ufeff“Yes,” said Ilka Dorn. 🚢", "utf16le"));
  await value("“Yes,” said Ilka Dorn. 🚢");
  for (const bytes of [Buffer.from("caf\xe9 said", "latin1"), Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0])]) {
    await drop("old.txt", bytes);
    await page.waitForSelector("#notices [role=alert]");
    assert.match(await page.textContent("#notices"), /“old\.txt” is not a text file/);
  }
  const buffer = Buffer.from(article("harbour"));
  await page.setInputFiles("#file", { name: "chosen.txt", mimeType: "text/plain", buffer });
  await value(article("harbour"));
  await page.click("#find");
  await page.waitForSelector("#article .segment");
  assert.equal(await page.textContent("#document-name"), "chosen.txt");
});

test("the example works, and another text can follow", async (t) => {
  const page = await place.open(t);
  await page.click("#example");
  await page.waitForSelector("#article .segment");
  assert(await page.locator("#people-list .person").count() >= 3);
  await page.click("#anew");
  assert(await page.isVisible("#desk"));
  assert.equal(await page.evaluate(() => document.activeElement.id), "text");
  await page.focus("#text");
  await page.keyboard.type("“It rains,” said Ilka Dorn.");
  await page.keyboard.press("Control+Enter");
  await page.waitForSelector("#article .segment");
  assert.deepEqual(await shown(page), ["“It rains,” said Ilka Dorn."]);
});

test("an article of 200 KB is shown whole and stays quick", async (t) => {
  const page = await place.open(t);
  const names = ["council", "harbour", "border", "campaign", "report", "spokesman", "strike"];
  let text = "";
  for (let round = 0; text.length < 200_000; round++) text += `${article(names[round % names.length]).trim()}\n\n`;
  const pasted = await paste(page, text);
  await page.click("#find");
  await page.waitForSelector("#article p", { timeout: 200_000 });
  assert.deepEqual(await shown(page), lines(pasted));
  const statements = await page.$$eval("#people-list [data-statement]", (all) => all.length);
  assert(statements > 600, `${statements} statements`);
  // The last one is as near as the first.
  await page.locator("#people-list [data-statement]").last().click();
  assert(await page.locator("#article .lit").count() > 0);
  const top = await page.locator("#article .lit").first().evaluate((it) => it.getBoundingClientRect().top);
  assert(top > 0 && top < 860, "its place is in sight");
  // Time of the processor and not of the clock, on which others may work at the same time.
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const worked = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
  };
  const before = await worked();
  await page.evaluate(async () => {
    const slider = document.getElementById("minimum");
    slider.value = 0.9;
    slider.dispatchEvent(new Event("input"));
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
  const milliseconds = (await worked()) - before;
  t.diagnostic(`drawing 200 KB anew: ${Math.round(milliseconds)} ms of the processor`);
  assert(milliseconds > 0 && milliseconds < 3000, `filtering took ${milliseconds} ms`);
});
