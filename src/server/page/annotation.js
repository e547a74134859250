// The annotated document: what the server found, and what a person has made of it since.
//
// A statement is {id, kind, act, polarity, floating, score, source, cue, content, speakers, via, speakerScore, origin}.
// Its spans are {start, end, score}, in UTF-16 units; `speakers` are ids of people, the first of them the one whom the
// source names; `origin` is "found", "corrected" or "added". A score is null where a person has decided.

import { movedByWord, trimmed } from "./segments.js";

export const ROLES = ["source", "cue", "content"];

const PRONOUN = /^(he|she|they|it|i|we|you|him|her|them|us|me|who|this|these|those|one|himself|herself|themselves)$/i;

export class Annotation {
  #past = [];
  #added = 0;

  /** `found`: the server's result for this text, with UTF-16 offsets. */
  constructor(id, text, found) {
    this.id = id;
    this.text = text;
    this.found = found;
    this.entities = found.entities ?? [];
    this.people = (found.speakers ?? []).map(({ id, name, label, aliases }) => ({ id, name, label, aliases }));
    this.statements = (found.statements ?? []).map((statement) => ({
      ...statement,
      speakers: statement.speaker ? [statement.speaker.id, ...statement.co_speakers] : [...statement.co_speakers],
      via: statement.speaker?.via ?? null,
      speakerScore: statement.speaker?.score ?? null,
      origin: "found",
    }));
    this.isSaved = true;
  }

  statement(id) {
    return this.statements.find((statement) => statement.id === id);
  }

  person(id) {
    return this.people.find((person) => person.id === id);
  }

  /** The words of a role, with an ellipsis where others stand between them. */
  words(statement, role) {
    return statement[role].map(({ start, end }) => this.text.slice(start, end)).join(" … ");
  }

  /** What the source looks like: "name", "pronoun", "nominal", or "none" where there is none. */
  form(statement) {
    if (statement.source.length === 0) return "none";
    const source = this.words(statement, "source");
    if (PRONOUN.test(source.trim())) return "pronoun";
    const names = this.#people(statement).flatMap((person) => [person.name, ...person.aliases]);
    return names.some((name) => name && source.includes(name)) ? "name" : "nominal";
  }

  /** Everybody to whom statements are credited, with these statements of theirs, and those of nobody at the end. */
  bySpeaker(statements) {
    const groups = new Map(this.people.map((person) => [person.id, { person, statements: [] }]));
    const unnamed = { person: null, statements: [] };
    for (const statement of statements) {
      const theirs = statement.speakers.map((id) => groups.get(id)).filter(Boolean);
      for (const group of theirs.length ? theirs : [unnamed]) group.statements.push(statement);
    }
    return [...groups.values(), unnamed].filter((group) => group.statements.length);
  }

  /** Makes the range a span of this role: it joins spans that it touches. */
  addSpan(id, role, range) {
    const { start, end } = trimmed(this.text, range);
    if (start >= end) return;
    this.#change(id, (statement) => {
      const touches = (span) => span.start <= end && start <= span.end;
      const joined = statement[role].filter(touches);
      const span = {
        start: Math.min(start, ...joined.map((other) => other.start)),
        end: Math.max(end, ...joined.map((other) => other.end)),
        score: null,
      };
      const rest = statement[role].filter((other) => !touches(other));
      return { [role]: [...rest, span].sort((one, two) => one.start - two.start) };
    });
  }

  removeSpan(id, role, index) {
    this.#change(id, (statement) => ({ [role]: statement[role].filter((_, place) => place !== index) }));
  }

  /** Moves the start or the end of a span by a word. It stays a span, and apart from its neighbours. */
  moveBorder(id, role, index, edge, step) {
    const spans = this.statement(id)[role];
    const moved = { ...spans[index], score: null, [edge]: movedByWord(this.text, spans[index][edge], step, edge) };
    const isFree = moved.start >= (spans[index - 1]?.end ?? 0) && moved.end <= (spans[index + 1]?.start ?? Infinity);
    if (moved.start >= moved.end || moved[edge] === spans[index][edge] || !isFree) return;
    this.#change(id, () => ({ [role]: spans.with(index, moved) }));
  }

  /** Credits the statement to the person of this name, who may be new; an empty name: to nobody. */
  setSpeaker(id, name) {
    const person = this.#named(name);
    this.#change(id, (statement) => {
      const others = statement.speakers.slice(1).filter((other) => other !== person?.id);
      return { speakers: person ? [person.id, ...others] : [], via: null, speakerScore: null };
    });
  }

  /** Credits the statement to one person more. */
  addSpeaker(id, name) {
    const person = this.#named(name);
    if (!person || this.statement(id).speakers.includes(person.id)) return;
    this.#change(id, (statement) => ({ speakers: [...statement.speakers, person.id] }));
  }

  removeSpeaker(id, person) {
    this.#change(id, (statement) => ({ speakers: statement.speakers.filter((other) => other !== person) }));
  }

  /** A new statement with this content; returns its id. */
  add(range) {
    const { start, end } = trimmed(this.text, range);
    if (start >= end) return null;
    const id = `added-${++this.#added}`;
    const content = [{ start, end, score: null }];
    const statement = {
      id, content, source: [], cue: [], speakers: [], kind: kindOf(this.text, content), act: "speech",
      polarity: "positive", floating: false, score: null, via: null, speakerScore: null, origin: "added",
    };
    const first = (other) => other.content[0]?.start ?? 0;
    this.#keep([...this.statements, statement].sort((one, two) => first(one) - first(two)));
    return id;
  }

  remove(id) {
    this.#keep(this.statements.filter((statement) => statement.id !== id));
  }

  /** How many changes can be undone. */
  get changes() {
    return this.#past.length;
  }

  undo() {
    const before = this.#past.pop();
    if (!before) return;
    this.statements = before;
    this.isSaved = false;
  }

  #people(statement) {
    return statement.speakers.map((id) => this.person(id)).filter(Boolean);
  }

  /** The person who goes by this name; a new one if nobody does, and null without a name. */
  #named(name) {
    const wanted = name.trim().replace(/\s+/g, " ");
    if (!wanted) return null;
    const known = this.people.find((person) => person.name === wanted)
      ?? this.people.find((person) => person.aliases.includes(wanted));
    if (known) return known;
    const person = { id: `added-person-${this.people.length}`, name: wanted, label: null, aliases: [] };
    this.people = [...this.people, person];
    return person;
  }

  #change(id, change) {
    this.#keep(this.statements.map((statement) => {
      if (statement.id !== id) return statement;
      const changed = { ...statement, ...change(statement) };
      const origin = statement.origin === "added" ? "added" : "corrected";
      // With a source or a cue of its own, a quotation no longer leans on the one before it.
      const floating = changed.floating && changed.source.length + changed.cue.length === 0;
      const kind = changed.content === statement.content ? statement.kind : kindOf(this.text, changed.content);
      return { ...changed, kind, floating, score: null, origin };
    }));
  }

  #keep(statements) {
    this.#past.push(this.statements);
    this.statements = statements;
    this.isSaved = false;
  }
}

const OPENING = /["“„«‹]|(?<!\p{L})‘/u;
const CLOSING = /["”»›]|’(?!\p{L})/u;

/** A plain guess at the kind of content that a person has marked: what of it stands in quotation marks. */
function kindOf(text, content) {
  const parts = content.map(({ start, end }) => text.slice(start, end));
  const isQuoted = (part) => {
    if (part.search(OPENING) !== 0) return false;
    const closed = part.slice(1).search(CLOSING);
    return closed < 0 || !/[\p{L}\p{N}]/u.test(part.slice(closed + 2));
  };
  if (parts.every(isQuoted)) return "direct";
  return parts.some((part) => OPENING.test(part)) ? "mixed" : "indirect";
}
