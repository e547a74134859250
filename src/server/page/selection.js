// A selection in the article, and what can be made of it: a source, a cue or a content of the chosen statement, or a
// new statement.

import { make } from "./elements.js";
import { ROLES } from "./annotation.js";

export class SelectionBar {
  #root;
  #article;
  #use;
  #chosen = null;

  /** `use(action, range)` is called with "source", "cue", "content" or "new", and the selected range. */
  constructor(root, article, use) {
    this.#root = root;
    this.#article = article;
    this.#use = use;
    document.addEventListener("selectionchange", () => this.#update());
    // A press on a button must not end the selection that it is about.
    root.addEventListener("pointerdown", (event) => event.preventDefault());
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") getSelection().removeAllRanges();
    });
  }

  /** Which statement a selection may be added to; null: none. */
  choose(statement) {
    this.#chosen = statement;
    // To ask for a selection makes the browser lay out the page: not for nothing.
    if (!this.#root.hidden) this.#update();
  }

  #update() {
    const range = this.#range();
    this.#root.hidden = !range;
    if (!range) return;
    const button = (name, action) => make("button", { type: "button", onclick: () => this.#act(action) }, name);
    const roles = this.#chosen ? ROLES.map((role) => button(`Add to ${role}`, role)) : [];
    this.#root.replaceChildren(...roles, button("New statement", "new"));
  }

  #act(action) {
    const range = this.#range();
    if (!range) return;
    getSelection().removeAllRanges();
    this.#use(action, range);
  }

  /** The selected range of the document; null if nothing of it is selected. */
  #range() {
    const selection = getSelection();
    if (selection.rangeCount === 0 || selection.isCollapsed) return null;
    const { startContainer, startOffset, endContainer, endOffset } = selection.getRangeAt(0);
    // A paragraph that is selected by a triple click ends where the next thing begins, which may lie outside.
    if (!this.#article.holds(startContainer) && !this.#article.holds(endContainer)) return null;
    const start = this.#article.offset(startContainer, startOffset);
    const end = this.#article.offset(endContainer, endOffset);
    return start < end ? { start, end } : null;
  }
}
