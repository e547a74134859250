// What the page has to say: that it is at work, that something went wrong, and what can be done about it.

import { make } from "./elements.js";

export class Notices {
  #root;

  constructor(root) {
    this.#root = root;
  }

  clear() {
    this.#root.replaceChildren();
  }

  /** Says something. `actions` are names of buttons with what they do; `urgent`: it is an error. */
  say(message, { urgent = false, actions = {} } = {}) {
    const button = ([name, act]) => make("button", { type: "button", onclick: act }, name);
    const buttons = Object.entries(actions).map(button);
    const text = make("p", { role: urgent ? "alert" : "status" }, message);
    this.#root.replaceChildren(make("div", { class: urgent ? "notice error" : "notice" }, text, ...buttons));
  }

  /** Says that work is under way, and how long it has been. Returns a function that ends it. */
  work(message, cancel) {
    const started = performance.now();
    // Told to the eye only: a screen reader would read out every second.
    const seconds = make("span", { class: "seconds", "aria-hidden": "true" });
    const tick = () => { seconds.textContent = `${Math.round((performance.now() - started) / 1000)} s`; };
    const timer = setInterval(tick, 1000);
    this.#root.replaceChildren(make("div", { class: "notice work" },
      make("p", { role: "status" }, message),
      make("progress", { "aria-label": message }),
      seconds,
      make("button", { type: "button", onclick: cancel }, "Cancel")));
    return () => {
      clearInterval(timer);
      this.clear();
    };
  }

  /**
   * Waits for so many seconds and says so. Resolves to true when they are over or somebody does not want to wait, and
   * to false when somebody has had enough.
   */
  wait(message, seconds) {
    return new Promise((resolve) => {
      const left = make("span", { class: "seconds", "aria-hidden": "true" }, `${seconds} s`);
      const end = (goOn) => {
        clearInterval(timer);
        this.clear();
        resolve(goOn);
      };
      const until = performance.now() + seconds * 1000;
      const timer = setInterval(() => {
        const rest = Math.ceil((until - performance.now()) / 1000);
        if (rest <= 0) end(true);
        else left.textContent = `${rest} s`;
      }, 100);
      this.#root.replaceChildren(make("div", { class: "notice error" },
        make("p", { role: "alert" }, `${message} Trying again in ${seconds} seconds.`),
        left,
        make("button", { type: "button", onclick: () => end(true) }, "Try now"),
        make("button", { type: "button", onclick: () => end(false) }, "Stop")));
    });
  }
}
