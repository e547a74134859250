// What can be taken home: a table of files, some made here and some by the server.

import { make, score } from "./elements.js";
import { ROLES } from "./annotation.js";
import { CodePoints, paragraphs, segments } from "./segments.js";

/** Files made here. `make` gets the annotation and the statements that are shown, and returns the contents. */
export const LOCAL = [
  {
    name: "gold", title: "Annotation", note: "all statements, as corrected: for onrecord eval and for training",
    suffix: ".gold.jsonl", media: "application/jsonl", make: gold,
  },
  {
    name: "json", title: "JSON", note: "what the server found",
    suffix: ".json", media: "application/json", make: json,
  },
  {
    name: "csv", title: "CSV", note: "the statements shown, as corrected",
    suffix: ".csv", media: "text/csv", make: csv,
  },
  {
    name: "html", title: "HTML", note: "the text with the statements shown, to print or send",
    suffix: ".html", media: "text/html", make: html,
  },
];

/** What is known of the server's formats; one that is not listed here is offered under its own name. */
const REMOTE = {
  brat: { title: "brat standoff", suffix: ".ann" },
  conll: { title: "CoNLL", suffix: ".conll" },
  displacy: { title: "displaCy", suffix: ".displacy.json" },
  webannotation: { title: "Web Annotation", suffix: ".jsonld" },
  citron: { title: "Citron JSON", suffix: ".citron.json" },
  html: { title: "HTML", suffix: ".found.html" },
  csv: { title: "CSV", suffix: ".found.csv" },
  schemaorg: { title: "schema.org", suffix: ".schemaorg.jsonld" },
};

/** The files that this server offers: those of its `/info` (`export_formats`). */
export function remote(info) {
  const names = info?.export_formats ?? [];
  return names.map((name) => ({ name, title: name, suffix: `.${name}`, ...REMOTE[name] }));
}

/** The name of a file for a document: what of its id can be in one, without the ending that it may have. */
export function fileName(id, suffix) {
  const stem = id.replace(/\.(txt|text|md)$/i, "").replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[.-]+/, "");
  return `${stem.slice(0, 80) || "article"}${suffix}`;
}

/** The corrected annotation, in the form of gold files (docs/annotations.md): offsets in code points. */
function gold(annotation) {
  const points = new CodePoints(annotation.text);
  const pairs = (spans) => spans.map(({ start, end }) => [points.at(start), points.at(end)]);
  const attributions = annotation.statements.map((statement) => {
    const [speaker, ...others] = statement.speakers.map((id) => annotation.person(id)).filter(Boolean);
    const people = speaker ? [speaker, ...others] : [];
    return {
      ...Object.fromEntries(ROLES.map((role) => [role, pairs(statement[role])])),
      kind: statement.source.length ? "Attribution" : "Attribution-no-source",
      speaker: speaker?.name ?? null,
      others: others.map(({ name }) => name),
      aliases: [...new Set(people.flatMap(({ name, aliases }) => [name, ...aliases]))],
      form: annotation.form(statement),
    };
  });
  return `${JSON.stringify({ id: annotation.id, text: annotation.text, attributions })}\n`;
}

function json(annotation) {
  return `${JSON.stringify(annotation.found, null, 1)}\n`;
}

/** One row a statement. The mark at the beginning tells spreadsheets that this is UTF-8. */
function csv(annotation, statements) {
  const points = new CodePoints(annotation.text);
  const names = (statement) => statement.speakers.map((id) => annotation.person(id)?.name).filter(Boolean);
  const rows = statements.map((statement) => [
    annotation.id, names(statement)[0] ?? "", names(statement).slice(1).join("; "),
    ...ROLES.map((role) => annotation.words(statement, role)),
    statement.kind, statement.act, statement.polarity, statement.floating, statement.score ?? "", statement.origin,
    points.at(statement.content[0].start), points.at(statement.content.at(-1).end),
  ]);
  const head = [
    "document", "speaker", "co_speakers", "source", "cue", "content", "kind", "act", "polarity", "floating", "score",
    "origin", "content_start", "content_end",
  ];
  return `\ufeff${[head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** A cell. A text that a spreadsheet would take for a formula gets an apostrophe, or an article could run one. */
function cell(value) {
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const SHEET = `
:root { color-scheme: light dark; font: 1.1rem/1.6 Charter, Georgia, serif; }
body { max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }
mark { color: inherit; background: none; }
.content { background: light-dark(#dcebfa, #16344f); }
.source, .cue { text-underline-offset: .25em; }
.source { text-decoration: underline solid light-dark(#b34a00, #f2a65a) .15em; font-weight: 600; }
.cue { text-decoration: underline dotted light-dark(#75308a, #d9a0e6) .15em; font-style: italic; }
sup, footer, dt { font: .7rem system-ui, sans-serif; }
dd { margin: 0 0 1rem; }`;

/** The text with its statements as a page of its own, which runs nothing and loads nothing. */
function html(annotation, statements) {
  const page = document.implementation.createHTMLDocument(annotation.id);
  page.documentElement.lang = "en";
  const policy = { "http-equiv": "Content-Security-Policy", content: "default-src 'none'; style-src 'unsafe-inline'" };
  page.head.prepend(make("meta", { charset: "utf-8" }), make("meta", policy));
  page.head.append(make("meta", { name: "sheet" }));
  const spans = statements.flatMap((statement, index) =>
    ROLES.flatMap((role) => statement[role].map((span) => ({ ...span, role, number: index + 1 }))));
  const lines = paragraphs(annotation.text).map((range) => ({ ...range, line: make("p", { dir: "auto" }) }));
  for (const { start, end, spans: covering } of segments(0, annotation.text.length, [...lines, ...spans])) {
    const line = covering.find((span) => span.line)?.line;
    const roles = covering.filter((span) => span.role);
    const words = annotation.text.slice(start, end);
    const kinds = [...new Set(roles.map(({ role }) => role))].join(" ");
    line?.append(kinds ? make("mark", { class: kinds }, words) : words);
    const ending = roles.filter((span) => span.role === "content" && span.end === end).map(({ number }) => number);
    if (ending.length) line?.append(make("sup", {}, ending.join(" ")));
  }
  const list = statements.flatMap((statement, index) => {
    const who = statement.speakers.map((id) => annotation.person(id)?.name).filter(Boolean).join(" and ");
    const worth = statement.score === null ? "set by hand" : `score ${score(statement.score)}`;
    return [
      make("dt", {}, `${index + 1} · ${who || "nobody named"} · ${statement.kind} · ${statement.act} · ${worth}`),
      make("dd", { dir: "auto" }, annotation.words(statement, "content")),
    ];
  });
  page.body.append(make("main", {}, ...lines.map(({ line }) => line)), make("dl", {}, ...list),
    make("footer", {}, `Found by ${annotation.found.model}, which errs: check against the text before you publish.`));
  // The sheet comes in last, for the policy of this page allows no style within a page, not even in one that is made.
  // In texts there is no tag that could be taken for the one that it replaces.
  const markup = page.documentElement.outerHTML.replace('<meta name="sheet">', () => `<style>${SHEET}</style>`);
  return `<!doctype html>\n${markup}\n`;
}
