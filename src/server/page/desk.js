// The desk: an article is pasted, dropped or chosen, and the server is asked for what is said in it.

import { byId, count, sentence, several } from "./elements.js";
import { Refusal, bodySize, extract, info } from "./service.js";

/** How often a server that is busy is asked again by itself. */
const ATTEMPTS = 5;
/** Where the key is kept: in this tab, until it is closed. */
const KEY = "onrecord-key";

export class Desk {
  #notices;
  #found;
  #learned;
  #area = byId("text");
  #name = "article";
  /** What the server takes; null until it has said so. */
  #limits = null;
  #reading = null;

  /**
   * `learned(info)` is called when the server has said what it is, and `found(name, text, result)` when it has read an
   * article.
   */
  constructor(notices, learned, found) {
    this.#notices = notices;
    this.#learned = learned;
    this.#found = found;
    byId("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#read();
    });
    this.#area.addEventListener("input", () => {
      this.#name = "article";
      this.#showSize();
    });
    this.#area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#read();
    });
    byId("open").addEventListener("click", () => byId("file").click());
    byId("file").addEventListener("change", (event) => {
      this.#open([...event.target.files]);
      // The same file may be chosen again.
      event.target.value = "";
    });
    byId("example").addEventListener("click", () => this.#example());
    byId("key").value = sessionStorage.getItem(KEY) ?? "";
    byId("key").addEventListener("change", () => this.#learn());
    this.#acceptDrops();
    this.#showSize();
    this.#learn();
  }

  /** The key that the server may want; empty: none. */
  get key() {
    return byId("key").value.trim();
  }

  /** Is there to be written on, or out of the way. */
  show(isShown) {
    byId("desk").hidden = !isShown;
    if (!isShown) return;
    this.#area.focus();
    this.#area.select();
  }

  #acceptDrops() {
    const desk = byId("desk");
    document.addEventListener("dragover", (event) => {
      if (desk.hidden || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      desk.classList.add("dropping");
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) desk.classList.remove("dropping");
    });
    document.addEventListener("drop", (event) => {
      desk.classList.remove("dropping");
      if (desk.hidden || !event.dataTransfer.files.length) return;
      event.preventDefault();
      this.#open([...event.dataTransfer.files]);
    });
  }

  /** Text as it can be sent: half a character, which some programs leave behind, becomes a replacement mark. */
  #typed() {
    return this.#area.value.toWellFormed?.() ?? this.#area.value;
  }

  #showSize() {
    const { length } = this.#area.value;
    const limit = this.#limits?.max_characters;
    const most = limit ? ` of ${count(limit)}` : "";
    byId("size").textContent = length ? `${several(length, "character")}${most}` : "";
  }

  #put(name, text) {
    this.#area.value = text;
    this.#name = name;
    this.#showSize();
    this.#notices.clear();
  }

  async #open([file, ...others]) {
    if (!file) return;
    const text = decoded(new Uint8Array(await file.arrayBuffer()));
    if (text === null) {
      const advice = "Save it as plain text in UTF-8 and try again.";
      this.#complain(`“${file.name}” is not a text file in UTF-8 or UTF-16. ${advice}`);
      return;
    }
    this.#put(file.name, text);
    if (others.length) this.#notices.say(`Only “${file.name}” was opened: one article at a time.`);
    this.#area.focus();
  }

  async #example() {
    const response = await fetch(new URL("example.txt", import.meta.url)).catch(() => null);
    if (!response?.ok) {
      this.#complain("The server does not answer. Is it still running?");
      return;
    }
    this.#put("example.txt", (await response.text()).trimEnd());
    await this.#read();
  }

  #complain(message, actions = {}) {
    this.#notices.say(message, { urgent: true, actions });
  }

  async #learn() {
    try {
      const server = await info(this.key);
      this.#limits = server.limits;
      this.#showSize();
      this.#learned(server);
    } catch (error) {
      // What is wrong is said when somebody asks for something; but a key can be typed in before.
      if (error.status === 401) byId("key-row").hidden = false;
    }
  }

  /** Sends the text and hands on what comes back; asks again where the server says that it will soon have time. */
  async #read() {
    this.#reading?.abort();
    const text = this.#typed();
    if (!text.trim()) {
      this.#complain("There is no article yet: paste one, drop a file, or try the example.");
      this.#area.focus();
      return;
    }
    const excess = this.#excess(text);
    if (excess) {
      this.#complain(excess);
      return;
    }
    sessionStorage.setItem(KEY, this.key);
    const mine = this.#reading = new AbortController();
    byId("find").disabled = true;
    try {
      for (let attempt = 1; ; attempt++) {
        const result = await this.#attempt(text, mine, attempt < ATTEMPTS);
        if (result === "again") continue;
        if (result) this.#found(this.#name, text, result);
        // A server that was still starting has not said what it is.
        if (result && !this.#limits) this.#learn();
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
  #excess(text) {
    const { max_characters: characters, max_body_bytes: bytes } = this.#limits ?? {};
    const size = text.length > characters ? [...text].length : 0;
    if (size > characters) {
      return `The article has ${several(size, "character")}, and this server takes ${count(characters)} at most.`;
    }
    return bodySize(this.#name, text) > bytes
      ? `The article is too large: this server takes ${several(bytes, "byte")} at most.`
      : null;
  }

  /** The result; "again" if it is worth another try, and null if not: then it has been said why. */
  async #attempt(text, controller, mayWait) {
    const done = this.#notices.work(`Reading ${several(text.length, "character")}…`, () => controller.abort());
    try {
      const result = await extract(this.#name, text, { key: this.key, signal: controller.signal });
      done();
      return result;
    } catch (error) {
      done();
      if (error.name === "AbortError") return null;
      if (!(error instanceof Refusal)) throw error;
      if (error.retryAfter !== null && mayWait) {
        const goOn = await this.#notices.wait(waiting(error), Math.max(1, error.retryAfter));
        return goOn && !controller.signal.aborted ? "again" : null;
      }
      this.#refuse(error);
      return null;
    }
  }

  #refuse(error) {
    if (error.status === 401) {
      byId("key-row").hidden = false;
      this.#complain(this.key ? "This API key is not valid." : "This server needs an API key.");
      byId("key").focus();
    } else if (["document_too_large", "body_too_large"].includes(error.code)) {
      const { limit } = error.details;
      const unit = error.code === "body_too_large" ? "bytes" : "characters";
      const most = limit ? `, which takes ${count(limit)} ${unit} at most` : "";
      this.#complain(`The article is too long for this server${most}.`);
    } else {
      this.#complain(sentence(error.message), { "Try again": () => this.#read() });
    }
  }
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

function waiting({ status, code }) {
  if (status === 429) return "The server has more to do than it can.";
  return code === "starting" ? "The server is still starting." : "The server cannot answer now.";
}
