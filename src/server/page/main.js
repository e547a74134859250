// The page: an article goes in; its statements can be looked at, filtered, corrected, and taken home.

import { Annotation } from "./annotation.js";
import { ArticleView } from "./article.js";
import { byId, count, download, make, several } from "./elements.js";
import { LOCAL, fileName, remote } from "./exports.js";
import { Filters } from "./filters.js";
import { Inspector } from "./inspector.js";
import { Notices } from "./notices.js";
import { PeopleView } from "./people.js";
import { SelectionBar } from "./selection.js";
import { Refusal, bodySize, exported, extract, info } from "./service.js";

/** How often a server that is busy is asked again by itself. */
const ATTEMPTS = 5;
/** Where the key is kept: in this tab, until it is closed. */
const KEY = "onrecord-key";

const area = byId("text");
const notices = new Notices(byId("notices"));
const filters = new Filters(byId("filters"), () => requestDrawing());
const people = new PeopleView(byId("people-list"), (id) => lookAt(id));
const article = new ArticleView(byId("article"), byId("hint"), (id) => choose(id));
const inspector = new Inspector(byId("inspector"), (change) => (change ? correct(change) : letGo()));
const selection = new SelectionBar(byId("selection"), article, (action, range) => use(action, range));

let annotation = null;
let chosen = null;
let server = null;
let name = "article";
let reading = null;
let isDrawing = false;

// ---- what goes in

/** Text as it can be sent: half a character, which some programs leave behind, becomes a replacement mark. */
function typed() {
  return area.value.toWellFormed?.() ?? area.value;
}

function showSize() {
  const limit = server?.limits.max_characters;
  byId("size").textContent = area.value ? `${several(area.value.length, "character")}${limit ? ` of ${count(limit)}` : ""}` : "";
}

async function open(files) {
  const [file, ...others] = files;
  if (!file) return;
  const text = decoded(new Uint8Array(await file.arrayBuffer()));
  if (text === null) {
    notices.say(`“${file.name}” is not a text file in UTF-8 or UTF-16. Save it as plain text (.txt) in UTF-8 and try again.`,
      { urgent: true });
    return;
  }
  area.value = text;
  name = file.name;
  showSize();
  notices.clear();
  if (others.length) notices.say(`Only “${file.name}” was opened: one article at a time.`);
  area.focus();
}

/** The text in a file; null if it is none. */
function decoded(bytes) {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le"
    : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

async function example() {
  const response = await fetch(new URL("example.txt", import.meta.url)).catch(() => null);
  if (!response?.ok) {
    notices.say("The server does not answer. Is it still running?", { urgent: true });
    return;
  }
  area.value = (await response.text()).trimEnd();
  name = "example.txt";
  showSize();
  await read();
}

// ---- asking the server

function key() {
  return byId("key").value.trim();
}

function askForKey(message) {
  byId("key-row").hidden = false;
  notices.say(message, { urgent: true });
  byId("key").focus();
}

async function learn() {
  try {
    server = await info(key());
    showSize();
    offerExports();
  } catch (error) {
    // What is wrong is said when somebody asks for something; but a key can be typed in before.
    if (error.status === 401) byId("key-row").hidden = false;
  }
}

/** Sends the text and shows what comes back; asks again where the server says that it will soon have time. */
async function read() {
  reading?.abort();
  const text = typed();
  if (!text.trim()) {
    notices.say("There is no article yet: paste one, drop a file, or try the example.", { urgent: true });
    area.focus();
    return;
  }
  const excess = tooLong(text);
  if (excess) {
    notices.say(excess, { urgent: true });
    return;
  }
  sessionStorage.setItem(KEY, key());
  const mine = reading = new AbortController();
  byId("find").disabled = true;
  try {
    for (let attempt = 1; ; attempt++) {
      const found = await attemptToRead(text, mine, attempt < ATTEMPTS);
      if (found === "again") continue;
      if (found) show(new Annotation(name, text, found));
      return;
    }
  } finally {
    byId("find").disabled = false;
  }
}

/**
 * Why a text is too long for this server; null if it is not. A server that refuses a long body stops reading it, and
 * browsers take that for a broken connection: so it is better said before.
 */
function tooLong(text) {
  const { max_characters: characters, max_body_bytes: bytes } = server?.limits ?? {};
  const size = text.length > characters ? [...text].length : 0;
  if (size > characters) return `The article has ${several(size, "character")}, and this server takes ${count(characters)} at most.`;
  if (bodySize(name, text) > bytes) return `The article is too large: this server takes ${several(bytes, "byte")} at most.`;
  return null;
}

/** The result; "again" if it is worth another try, and null if not: then it has been said why. */
async function attemptToRead(text, controller, mayWait) {
  const done = notices.work(`Reading ${several(text.length, "character")}…`, () => controller.abort());
  try {
    const found = await extract(name, text, { key: key(), signal: controller.signal });
    done();
    return found;
  } catch (error) {
    done();
    if (error.name === "AbortError") return null;
    if (!(error instanceof Refusal)) throw error;
    if (error.retryAfter !== null && mayWait) {
      const goOn = await notices.wait(waiting(error), Math.max(1, error.retryAfter));
      return goOn && !controller.signal.aborted ? "again" : null;
    }
    refuse(error);
    return null;
  }
}

function waiting({ status, code }) {
  if (status === 429) return "The server has more to do than it can.";
  return code === "starting" ? "The server is still starting." : "The server cannot answer now.";
}

function refuse(error) {
  if (error.status === 401) {
    askForKey(key() ? "This API key is not valid." : "This server needs an API key.");
    return;
  }
  if (error.status === 413) {
    const limit = error.details?.limit;
    notices.say(`The article is too long for this server${limit ? `, which takes ${count(limit)} at most` : ""}. ${error.message}`,
      { urgent: true });
    return;
  }
  notices.say(sentence(error.message), { urgent: true, actions: { "Try again": read } });
}

function sentence(text) {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(upper) ? upper : `${upper}.`;
}

// ---- looking

function show(found) {
  annotation = found;
  chosen = null;
  filters.offer(annotation);
  byId("desk").hidden = true;
  byId("reading").hidden = false;
  for (const element of document.querySelectorAll(".for-reading")) element.hidden = false;
  byId("document-name").textContent = annotation.id;
  view("text");
  draw();
  const { warnings = [] } = annotation.found;
  if (warnings.length) notices.say(warnings.map(sentence).join(" "));
  scrollTo(0, 0);
  byId("reading-title").focus({ preventScroll: true });
}

function requestDrawing() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    draw();
  });
}

function draw() {
  const shown = annotation.statements.filter((statement) => filters.shows(statement));
  article.render(annotation, shown, annotation.entities.filter((entity) => filters.showsEntity(entity)));
  people.render(annotation, shown);
  const all = several(annotation.statements.length, "statement");
  const speakers = annotation.bySpeaker(annotation.statements).filter(({ person }) => person).length;
  byId("reading-title").textContent = `${all} by ${several(speakers, "speaker")}`;
  byId("tally").textContent = shown.length === annotation.statements.length ? "all are shown" : `${count(shown.length)} of ${all}`;
  byId("undo").disabled = annotation.changes === 0;
  choose(chosen && shown.some(({ id }) => id === chosen) ? chosen : null);
}

function choose(id) {
  chosen = id;
  const statement = id ? annotation.statement(id) : null;
  inspector.render(annotation, statement);
  selection.choose(statement);
  people.mark(id);
}

function lookAt(id) {
  view("text");
  choose(id);
  article.goTo(id);
}

function letGo() {
  const id = chosen;
  choose(null);
  if (id) article.goTo(id);
  article.pin(null);
}

/** On a narrow screen: the text or the speakers. */
function view(which) {
  byId("reading").dataset.view = which;
  byId("view-text").setAttribute("aria-pressed", String(which === "text"));
  byId("view-people").setAttribute("aria-pressed", String(which === "people"));
}

// ---- correcting

function correct(change) {
  const before = annotation.statements;
  const result = change(annotation);
  if (annotation.statements === before) return result;
  draw();
  byId("done").textContent = "Changed. The annotation can be downloaded under Export.";
  return result;
}

function use(action, range) {
  if (action !== "new") {
    correct((to) => to.addSpan(chosen, action, range));
    return;
  }
  const id = correct((to) => to.add(range));
  if (id) lookAt(id);
}

function undo() {
  annotation.undo();
  draw();
  byId("done").textContent = "Undone.";
}

function startAnew() {
  if (annotation && !annotation.isSaved && !confirm("The corrections have not been downloaded. Leave them?")) return;
  annotation = null;
  chosen = null;
  byId("desk").hidden = false;
  byId("reading").hidden = true;
  for (const element of document.querySelectorAll(".for-reading")) element.hidden = true;
  notices.clear();
  area.focus();
  area.select();
}

// ---- taking home

function offerExports() {
  const item = ({ title, note, name: format }, where, save) => make("li", {},
    make("button", { type: "button", "data-export": `${where} ${format}`, onclick: save }, make("b", {}, title),
      note && make("span", {}, ` ${note}`)));
  const theirs = remote(server).map((format) => item(format, "server", () => fetchExport(format)));
  byId("exports").replaceChildren(...LOCAL.map((format) => item(format, "page", () => saveExport(format))));
  byId("server-exports").replaceChildren(...theirs);
  byId("server-exports-title").hidden = theirs.length === 0;
}

function saveExport(format) {
  const shown = annotation.statements.filter((statement) => filters.shows(statement));
  const contents = format.make(annotation, shown);
  download(fileName(annotation.id, format.suffix), new Blob([contents], { type: `${format.media};charset=utf-8` }));
  if (format.name === "gold") annotation.isSaved = true;
  closeMenu();
}

async function fetchExport(format) {
  closeMenu();
  try {
    const blob = await exported(format.name, annotation.id, annotation.text, { key: key() });
    download(fileName(annotation.id, format.suffix), blob);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    notices.say(sentence(error.message), { urgent: true, actions: { "Try again": () => fetchExport(format) } });
  }
}

function closeMenu() {
  byId("export").open = false;
}

// ---- the controls

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  read();
});
area.addEventListener("input", () => {
  name = "article";
  showSize();
});
area.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) read();
});
byId("open").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", (event) => {
  open(event.target.files);
  // The same file may be chosen again.
  event.target.value = "";
});
byId("example").addEventListener("click", example);
byId("key").value = sessionStorage.getItem(KEY) ?? "";
byId("key").addEventListener("change", learn);
byId("anew").addEventListener("click", startAnew);
byId("undo").addEventListener("click", undo);
byId("view-text").addEventListener("click", () => view("text"));
byId("view-people").addEventListener("click", () => view("people"));

document.addEventListener("dragover", (event) => {
  if (byId("desk").hidden || !event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  byId("desk").classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) byId("desk").classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  byId("desk").classList.remove("dropping");
  if (byId("desk").hidden || !event.dataTransfer.files.length) return;
  event.preventDefault();
  open(event.dataTransfer.files);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  byId("hint").hidden = true;
  if (byId("export").open) {
    closeMenu();
    byId("export").querySelector("summary").focus();
  } else if (chosen) letGo();
});
document.addEventListener("click", (event) => {
  if (!byId("export").contains(event.target)) closeMenu();
});
addEventListener("beforeunload", (event) => {
  if (annotation && !annotation.isSaved) event.preventDefault();
});

offerExports();
showSize();
learn();
