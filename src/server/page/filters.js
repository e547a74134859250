// What is shown: statements by kind, act, polarity and score, entities by label.

import { make, count, score } from "./elements.js";

const GROUPS = [
  { name: "kind", title: "Kind", values: { direct: "direct", indirect: "indirect", mixed: "mixed" } },
  { name: "act", title: "Act", values: { speech: "speech", thought: "thought" } },
  { name: "polarity", title: "Polarity", values: { positive: "said", negative: "not said" } },
  { name: "floating", title: "Floating", values: { false: "attributed", true: "floating" } },
];

const LABELS = {
  PER: "people", ORG: "bodies", LOC: "places", NORP: "groups", FAC: "buildings", PRODUCT: "products", DATE: "dates",
  MONEY: "money", MISC: "other",
};

/** Labels whose entities are marked from the start: more of them at once would hide the statements. */
const MARKED = new Set(["PER", "ORG", "LOC"]);

export class Filters {
  #root;
  #hidden = new Set();
  #labels = new Set();
  #minimum = 0;

  /** Controls in `root`; `changed` is called when somebody has used them. */
  constructor(root, changed) {
    this.#root = root;
    this.changed = changed;
  }

  shows(statement) {
    const isHidden = GROUPS.some(({ name }) => this.#hidden.has(`${name} ${statement[name]}`));
    return !isHidden && (statement.score === null || statement.score >= this.#minimum);
  }

  showsEntity(entity) {
    return this.#labels.has(entity.label) && entity.score >= this.#minimum;
  }

  /** Makes the controls for a document. Everything is shown, and entities of the labels that matter most. */
  offer(annotation) {
    this.#hidden.clear();
    this.#minimum = 0;
    const labels = Map.groupBy(annotation.entities, ({ label }) => label);
    this.#labels = new Set([...labels.keys()].filter((label) => MARKED.has(label)));
    const groups = GROUPS.map((group) => this.#group(group, annotation.statements));
    const entities = [...labels].sort(([one], [two]) => one.localeCompare(two)).map(([label, found]) =>
      this.#box(LABELS[label] ?? label, found.length, this.#labels.has(label), (isOn) =>
        isOn ? this.#labels.add(label) : this.#labels.delete(label), label));
    this.#root.replaceChildren(
      ...groups,
      this.#slider(),
      ...(entities.length ? [fieldset("Entities", entities)] : []),
    );
  }

  #group({ name, title, values }, statements) {
    const boxes = Object.entries(values).map(([value, word]) => {
      const key = `${name} ${value}`;
      const number = statements.filter((statement) => String(statement[name]) === value).length;
      return this.#box(word, number, true, (isOn) => (isOn ? this.#hidden.delete(key) : this.#hidden.add(key)), value);
    });
    return fieldset(title, boxes);
  }

  #box(word, number, checked, set, value) {
    const input = make("input", {
      type: "checkbox", checked, value, onchange: (event) => { set(event.target.checked); this.changed(); },
    });
    return make("label", { class: "chip" }, input, make("span", {}, `${word} `, make("b", {}, count(number))));
  }

  #slider() {
    const output = make("output", { for: "minimum" }, score(0));
    const input = make("input", {
      id: "minimum", type: "range", min: 0, max: 1, step: 0.01, value: 0,
      oninput: (event) => {
        this.#minimum = Number(event.target.value);
        output.value = score(this.#minimum);
        this.changed();
      },
    });
    return make("div", { class: "slider" }, make("label", { for: "minimum" }, "Score at least"), input, output);
  }
}

function fieldset(title, boxes) {
  return make("fieldset", {}, make("legend", {}, title), ...boxes);
}
