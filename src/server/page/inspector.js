// One statement, to be checked and corrected: its spans, who is behind it, and how sure all of that is.

import { make, score } from "./elements.js";
import { ROLES } from "./annotation.js";
import { worth } from "./people.js";

const VIA = {
  name: "named in the source",
  alias: "by a shorter name",
  pronoun: "a guess at whom the pronoun means",
  nominal: "a guess at whom the description means",
  running: "a guess: whoever spoke before goes on",
};

export class Inspector {
  #root;
  #act;

  /** `act(change)` is called with what to do to the annotation; `act(null)` to close. */
  constructor(root, act) {
    this.#root = root;
    this.#act = act;
  }

  /** Shows a statement; null: nothing. What has the focus keeps it, if it is still there. */
  render(annotation, statement) {
    const focused = this.#root.contains(document.activeElement) ? document.activeElement.dataset.control : null;
    this.#root.hidden = !statement;
    if (!statement) return this.#root.replaceChildren();
    this.annotation = annotation;
    this.#root.replaceChildren(
      make("header", {},
        make("h2", {}, "Statement"),
        worth(statement.score),
        this.#button("Close", "close", () => this.#act(null), { class: "quiet" })),
      make("p", { class: "facts" }, ...this.#facts(statement)),
      ...ROLES.map((role) => this.#role(statement, role)),
      this.#speakers(statement),
      make("footer", {},
        make("p", {}, "Select words in the text to add them."),
        this.#button("Remove statement", "remove", () => this.#act((to) => to.remove(statement.id)),
          { class: "danger" })));
    if (focused) this.#root.querySelector(`[data-control="${CSS.escape(focused)}"]`)?.focus();
  }

  #facts({ kind, act, polarity, floating, origin }) {
    const isOurs = origin !== "found";
    const facts = [kind, act, polarity === "negative" && "not said", floating && "floating", isOurs && origin];
    return facts.filter(Boolean).map((fact) => make("span", {}, fact));
  }

  #role(statement, role) {
    const spans = statement[role].map((span, index) => this.#span(statement, role, span, index));
    return make("section", { class: `role ${role}` },
      make("h3", {}, role),
      spans.length ? make("ul", {}, ...spans) : make("p", { class: "nothing" }, "none"));
  }

  #span(statement, role, span, index) {
    const words = this.annotation.text.slice(span.start, span.end);
    const place = `${role} ${index}`;
    const move = (sign, name, edge, step) => this.#button(sign, `${place} ${edge} ${step}`,
      () => this.#act((to) => to.moveBorder(statement.id, role, index, edge, step)),
      { class: "step", "aria-label": name, title: name });
    // A statement always has a content.
    const isLast = role === "content" && statement.content.length === 1;
    return make("li", {},
      make("p", { class: "words", dir: "auto" }, words),
      make("p", { class: "edges" },
        make("span", {}, "start",
          move("‹", "start a word earlier", "start", -1), move("›", "start a word later", "start", 1)),
        make("span", {}, "end",
          move("‹", "end a word earlier", "end", -1), move("›", "end a word later", "end", 1)),
        this.#button("remove", `${place} remove`, () => this.#act((to) => to.removeSpan(statement.id, role, index)),
          { class: "step", "aria-label": `remove this ${role}`, disabled: isLast })));
  }

  #speakers(statement) {
    const [first, ...others] = statement.speakers.map((id) => this.annotation.person(id)).filter(Boolean);
    const names = [...new Set(this.annotation.people.map((person) => person.name))];
    const how = statement.speakerScore === null ? null
      : `${VIA[statement.via] ?? statement.via}, score ${score(statement.speakerScore)}`;
    return make("section", { class: "role speaker" },
      make("h3", {}, make("label", { for: "speaker" }, "speaker")),
      this.#field("speaker", first?.name ?? "", "nobody named",
        (name) => this.#act((to) => to.setSpeaker(statement.id, name))),
      how && make("p", { class: "how" }, how),
      ...others.map((person) => make("p", { class: "other" }, "and ", make("bdi", {}, person.name), " ",
        this.#button("×", `other ${person.id}`, () => this.#act((to) => to.removeSpeaker(statement.id, person.id)),
          { class: "step", "aria-label": `remove ${person.name}`, title: `remove ${person.name}` }))),
      first && make("label", { class: "together" }, "together with ",
        this.#field("together", "", "somebody else",
          (name) => this.#act((to) => to.addSpeaker(statement.id, name)))),
      make("datalist", { id: "names" }, ...names.map((name) => make("option", { value: name }))));
  }

  #field(id, value, placeholder, set) {
    return make("input", {
      id, value, placeholder, list: "names", autocomplete: "off", dir: "auto", "data-control": id,
      onchange: ({ target }) => {
        // Only once the Tab key has moved on: what is drawn anew then can give the focus back.
        if (target.value.trim() !== value) setTimeout(() => set(target.value));
      },
    });
  }

  #button(text, control, press, properties = {}) {
    return make("button", { type: "button", onclick: press, "data-control": control, ...properties }, text);
  }
}
