// The page: an article goes in; its statements can be looked at, filtered, corrected, and taken home.

import { Annotation } from "./annotation.js";
import { ArticleView } from "./article.js";
import { Desk } from "./desk.js";
import { byId, count, download, make, sentence, several } from "./elements.js";
import { LOCAL, fileName, remote } from "./exports.js";
import { Filters } from "./filters.js";
import { Inspector } from "./inspector.js";
import { Notices } from "./notices.js";
import { PeopleView } from "./people.js";
import { SelectionBar } from "./selection.js";
import { Refusal, exported } from "./service.js";

const notices = new Notices(byId("notices"));
const desk = new Desk(notices, offerExports, (name, text, result) => show(new Annotation(name, text, result)));
const filters = new Filters(byId("filters"), () => requestDrawing());
const people = new PeopleView(byId("people-list"), (id) => lookAt(id));
const article = new ArticleView(byId("article"), byId("hint"), (id) => choose(id));
const inspector = new Inspector(byId("inspector"), (change) => (change ? correct(change) : letGo()));
const selection = new SelectionBar(byId("selection"), article, (action, range) => use(action, range));

let annotation = null;
let chosen = null;
let isDrawing = false;

// ---- looking

function show(found) {
  annotation = found;
  chosen = null;
  filters.offer(annotation);
  toggle(true);
  byId("document-name").textContent = annotation.id;
  view("text");
  draw();
  const { warnings = [] } = annotation.found;
  if (warnings.length) notices.say(warnings.map(sentence).join(" "));
  scrollTo(0, 0);
  byId("reading-title").focus({ preventScroll: true });
}

/** The result or the desk. */
function toggle(isReading) {
  desk.show(!isReading);
  byId("reading").hidden = !isReading;
  for (const element of document.querySelectorAll(".for-reading")) element.hidden = !isReading;
}

function requestDrawing() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    if (annotation) draw();
  });
}

function draw() {
  const shown = annotation.statements.filter((statement) => filters.shows(statement));
  article.render(annotation, shown, annotation.entities.filter((entity) => filters.showsEntity(entity)));
  people.render(annotation, shown);
  const all = several(annotation.statements.length, "statement");
  const speakers = annotation.bySpeaker(annotation.statements).filter(({ person }) => person).length;
  const title = `${all} by ${several(speakers, "speaker")}`;
  byId("reading-title").textContent = annotation.statements.length ? title : "No statement was found";
  const isAll = shown.length === annotation.statements.length;
  byId("tally").textContent = isAll ? "all are shown" : `${count(shown.length)} of ${all}`;
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
  notices.clear();
  toggle(false);
}

// ---- taking home

/** What there is to take home; more, once `server` has said what it has. */
function offerExports(server) {
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
    const blob = await exported(format.name, annotation.id, annotation.text, { key: desk.key });
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

byId("anew").addEventListener("click", startAnew);
byId("undo").addEventListener("click", undo);
byId("view-text").addEventListener("click", () => view("text"));
byId("view-people").addEventListener("click", () => view("people"));

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
