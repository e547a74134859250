// The text with its spans. Spans may overlap: the text is cut where one begins or ends, and each segment knows all
// spans that cover it. Pointing at a segment, or moving to a statement with the keys, lights the whole statement.

import { make, score } from "./elements.js";
import { ROLES } from "./annotation.js";
import { paragraphs, segments } from "./segments.js";

/** Statements that score below this are drawn fainter. */
const UNSURE = 0.5;

export class ArticleView {
  #root;
  #hint;
  #chosen;
  /** Element -> {start, end, roles, entities}, and text node -> where it begins. */
  #segments = new WeakMap();
  #starts = new WeakMap();
  /** Statement id -> its elements, and the one of them that takes the focus. */
  #elements = new Map();
  #anchors = new Map();
  /** The statement that is kept lit, that which the arrow keys start from, and where the pointer was last. */
  #pinned = null;
  #current = null;
  #pointer = null;

  /** `chosen(id)` is called when somebody picks a statement, and with null when they let go of it. */
  constructor(root, hint, chosen) {
    this.#root = root;
    this.#hint = hint;
    this.#chosen = chosen;
    root.addEventListener("pointerover", (event) => {
      // A text that scrolls under a pointer at rest is not pointed at.
      if (this.#hasMoved(event)) this.#point(event.target.closest(".segment"));
    });
    root.addEventListener("pointermove", (event) => this.#hasMoved(event));
    root.addEventListener("pointerleave", () => this.#point(null));
    root.addEventListener("focusin", (event) => this.#point(event.target.closest(".segment")));
    root.addEventListener("focusout", () => this.#point(null));
    root.addEventListener("click", (event) => this.#click(event.target.closest(".segment")));
    root.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Draws the text with these statements and entities. */
  render(annotation, statements, entities) {
    this.annotation = annotation;
    const hadFocus = this.#root.contains(document.activeElement);
    const lines = paragraphs(annotation.text).map((range) => ({ ...range, line: make("p", { dir: "auto" }) }));
    const spans = [...lines, ...entities.map((entity) => ({ ...entity, entity }))];
    for (const statement of statements) {
      for (const role of ROLES) {
        spans.push(...statement[role].map(({ start, end }) => ({ start, end, role, statement })));
      }
    }
    this.#elements = new Map(statements.map(({ id }) => [id, []]));
    this.#anchors = new Map();
    for (const segment of segments(0, annotation.text.length, spans)) {
      segment.spans.find((span) => span.line)?.line.append(this.#piece(segment));
    }
    this.#root.replaceChildren(...lines.map(({ line }) => line));
    const anchors = [...this.#anchors.values()];
    if (anchors.length) anchors[0].tabIndex = 0;
    this.pin(this.#elements.has(this.#pinned) ? this.#pinned : null);
    if (hadFocus) this.#anchors.get(this.#pinned)?.focus({ preventScroll: true });
  }

  #piece({ start, end, spans }) {
    const text = document.createTextNode(this.annotation.text.slice(start, end));
    this.#starts.set(text, start);
    const roles = spans.filter((span) => span.statement);
    const entities = spans.filter((span) => span.entity);
    if (roles.length + entities.length === 0) return text;
    const element = make("span", { class: ["segment", ...classes(roles)].join(" ") }, text);
    if (entities.length) {
      element.classList.add("entity");
      const last = entities.findLast((span) => span.end === end);
      if (last) element.dataset.label = last.entity.label;
    }
    this.#segments.set(element, { start, end, roles, entities: entities.map((span) => span.entity) });
    for (const { role, statement } of roles) {
      this.#elements.get(statement.id).push(element);
      if (role === "content" && !this.#anchors.has(statement.id)) this.#anchor(statement.id, element);
    }
    return element;
  }

  #anchor(id, element) {
    this.#anchors.set(id, element);
    element.tabIndex = -1;
    element.setAttribute("role", "button");
    element.setAttribute("aria-pressed", "false");
    element.setAttribute("aria-describedby", this.#hint.id);
  }

  /** Keeps a statement lit; null: none. */
  pin(id) {
    this.#anchors.get(this.#pinned)?.setAttribute("aria-pressed", "false");
    this.#pinned = id;
    this.#anchors.get(id)?.setAttribute("aria-pressed", "true");
    this.#rove(id);
    this.#light([]);
  }

  /** Goes to a statement's place in the text. */
  goTo(id) {
    this.pin(id);
    const anchor = this.#anchors.get(id);
    if (!anchor) return;
    anchor.scrollIntoView({ block: "center" });
    anchor.focus({ preventScroll: true });
  }

  /** Whether a place in the document lies in the text. */
  holds(node) {
    return this.#root.contains(node);
  }

  /** Offset of a place in the document: what lies before or behind the text counts as its beginning or end. */
  offset(node, place) {
    if (!this.#root.contains(node)) {
      const isBehind = this.#root.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING;
      return isBehind ? this.annotation.text.length : 0;
    }
    if (this.#starts.has(node)) return this.#starts.get(node) + place;
    // Between elements: the next text tells, or else the end of the last one.
    const range = document.createRange();
    range.selectNodeContents(this.#root);
    range.setStart(node, place);
    const walker = document.createTreeWalker(this.#root, NodeFilter.SHOW_TEXT);
    let last = null;
    while (walker.nextNode()) {
      if (range.comparePoint(walker.currentNode, 0) >= 0) return this.#starts.get(walker.currentNode);
      last = walker.currentNode;
    }
    return last ? this.#starts.get(last) + last.length : 0;
  }

  /** Statements that a segment belongs to; first those that it introduces, then the shortest that it is part of. */
  #statementsAt(element) {
    const { roles } = this.#segments.get(element) ?? { roles: [] };
    const length = ({ content }) => content.reduce((sum, { start, end }) => sum + end - start, 0);
    const rank = (span) => (span.role === "content" ? length(span.statement) : 0);
    const sorted = roles.toSorted((one, two) => rank(one) - rank(two));
    const first = sorted.filter((span) => span.role !== "content");
    return { lit: first.length ? first : sorted.slice(0, 1), all: sorted };
  }

  #hasMoved({ clientX, clientY }) {
    const before = this.#pointer;
    this.#pointer = `${clientX} ${clientY}`;
    return before !== this.#pointer;
  }

  #point(element) {
    if (!element) {
      this.#hint.hidden = true;
      this.#light([]);
      return;
    }
    const { lit } = this.#statementsAt(element);
    this.#light(lit.map(({ statement }) => statement.id));
    this.#explain(element, lit);
  }

  #light(ids) {
    for (const element of this.#root.querySelectorAll(".lit")) element.classList.remove("lit");
    const lit = [...new Set([...ids, this.#pinned])].flatMap((id) => this.#elements.get(id) ?? []);
    for (const element of lit) element.classList.add("lit");
    this.#root.classList.toggle("lighting", lit.length > 0);
  }

  #explain(element, lit) {
    const { entities } = this.#segments.get(element);
    const lines = lit.map(({ statement }) => make("p", {}, summary(this.annotation, statement)));
    for (const entity of entities) lines.push(make("p", {}, `${entity.label}, score ${score(entity.score)}`));
    this.#hint.replaceChildren(...lines);
    // What is pinned is shown at length elsewhere, so that only ears need this.
    this.#hint.hidden = lit.some(({ statement }) => statement.id === this.#pinned);
    const frame = this.#hint.offsetParent?.getBoundingClientRect() ?? { left: 0, top: 0, width: innerWidth };
    const place = element.getClientRects()[0] ?? element.getBoundingClientRect();
    const left = Math.max(0, Math.min(place.left - frame.left, frame.width - this.#hint.offsetWidth));
    this.#hint.style.left = `${left}px`;
    this.#hint.style.top = `${place.top - frame.top - this.#hint.offsetHeight - 6}px`;
  }

  #click(element) {
    if (!getSelection().isCollapsed) return;
    const ids = element ? this.#statementsAt(element).all.map(({ statement }) => statement.id) : [];
    // A further click at the same place goes on to the next statement there.
    const next = ids[(ids.indexOf(this.#pinned) + 1) % ids.length] ?? null;
    this.pin(next);
    this.#anchors.get(next)?.focus({ preventScroll: true });
    this.#chosen(next);
  }

  #key(event) {
    const ids = [...this.#anchors.keys()];
    const here = ids.indexOf(this.#idOf(event.target));
    const moves = {
      ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1, Home: 0, End: ids.length - 1,
    };
    if (here < 0 || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key in moves) {
      const id = ids[Math.max(0, Math.min(moves[event.key], ids.length - 1))];
      this.#rove(id);
      this.#anchors.get(id).focus();
    } else if (event.key === "Enter" || event.key === " ") {
      this.#click(event.target);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** The statement that has the focus, if `element` has it: the one that the keys came to, or the first there. */
  #idOf(element) {
    if (this.#anchors.get(this.#current) === element) return this.#current;
    return [...this.#anchors.keys()].find((id) => this.#anchors.get(id) === element);
  }

  /** Only one statement is in the order of the Tab key; the arrow keys go to the others. */
  #rove(id) {
    const anchor = this.#anchors.get(id);
    if (!anchor) return;
    this.#current = id;
    for (const other of this.#anchors.values()) other.tabIndex = -1;
    anchor.tabIndex = 0;
  }
}

/** How a segment with these roles looks. */
function classes(roles) {
  const found = new Set(roles.map(({ role }) => role));
  const contents = roles.filter(({ role }) => role === "content");
  for (const { statement } of contents) found.add(statement.kind);
  const isUnsure = ({ statement }) => statement.score !== null && statement.score < UNSURE;
  if (contents.length && contents.every(isUnsure)) found.add("unsure");
  return found;
}

/** Who says it, how, and how sure that is, in one line. */
export function summary(annotation, statement) {
  const who = statement.speakers.map((id) => annotation.person(id)?.name).filter(Boolean).join(" and ");
  const cue = annotation.words(statement, "cue");
  const words = [
    who || "nobody named",
    cue && `“${cue}”`,
    statement.kind,
    statement.act === "thought" && "thought",
    statement.polarity === "negative" && "not said",
    statement.floating && "floating",
    statement.score === null ? "set by hand" : `score ${score(statement.score)}`,
  ];
  return words.filter(Boolean).join(" · ");
}
