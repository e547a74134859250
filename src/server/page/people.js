// Who speaks: everybody with all their statements, each a way to its place in the text.

import { make, score, several } from "./elements.js";

/** How a speaker was found, where that is a guess. */
const GUESSES = { pronoun: "a pronoun", nominal: "a description", running: "the speaker before" };

export class PeopleView {
  #root;
  #goTo;

  /** `goTo(id)` is called when somebody picks a statement. */
  constructor(root, goTo) {
    this.#root = root;
    this.#goTo = goTo;
  }

  render(annotation, statements) {
    const groups = annotation.bySpeaker(statements).map((group) => this.#group(annotation, group));
    const nothing = make("p", { class: "nothing" }, "No statement is shown.");
    this.#root.replaceChildren(...(groups.length ? groups : [nothing]));
  }

  /** Marks the statement that is looked at, and has it in sight if the list scrolls by itself. */
  mark(id) {
    const buttons = [...this.#root.querySelectorAll("button")];
    for (const button of buttons) button.setAttribute("aria-current", String(button.dataset.statement === id));
    const current = buttons.find((button) => button.dataset.statement === id)?.getBoundingClientRect();
    if (!current) return;
    const list = this.#root.parentElement;
    const frame = list.getBoundingClientRect();
    if (current.top < frame.top) list.scrollTop += current.top - frame.top;
    else list.scrollTop += Math.max(0, Math.min(current.bottom - frame.bottom, current.top - frame.top));
  }

  #group(annotation, { person, statements }) {
    const name = person ? make("bdi", {}, person.name) : "Nobody named";
    const label = person?.label && make("abbr", { title: "kind of entity" }, person.label);
    const also = person?.aliases.length && `also ${person.aliases.join(", ")}`;
    const aliases = also ? make("p", { class: "aliases" }, also) : null;
    const items = statements.map((statement) => make("li", {}, this.#statement(annotation, statement)));
    return make("section", { class: "person" },
      make("h3", {}, name, " ", label, make("span", { class: "number" }, several(statements.length, "statement"))),
      aliases,
      make("ol", {}, ...items));
  }

  #statement(annotation, statement) {
    const cue = annotation.words(statement, "cue");
    const properties = { type: "button", "data-statement": statement.id, "aria-current": "false" };
    return make("button", { ...properties, onclick: () => this.#goTo(statement.id) },
      cue && make("span", { class: "said", dir: "auto" }, cue), cue && " ",
      make("span", { class: `words ${statement.kind}`, dir: "auto" }, annotation.words(statement, "content")), " ",
      make("span", { class: "facts" }, ...facts(annotation, statement)));
  }
}

/** What is known of a statement, as small marks. */
function facts(annotation, statement) {
  const guess = GUESSES[statement.via];
  const source = annotation.words(statement, "source");
  const marks = [
    statement.kind,
    statement.act === "thought" && "thought",
    statement.polarity === "negative" && "not said",
    statement.floating && "floating",
    guess && (source ? `by “${source}”, a guess` : `by ${guess}, a guess`),
  ];
  const words = marks.filter(Boolean).map((mark) => make("span", {}, mark));
  return [...words, worth(statement.score)];
}

/** A score as a number and a bar; what a person has decided has none. */
export function worth(number) {
  if (number === null) return make("span", { class: "worth" }, "by hand");
  const bar = make("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--share", number);
  return make("span", { class: "worth" }, `score ${score(number)}`, bar);
}
