// What the page asks the server: what it is, and who said what.

const BASE = new URL("../", import.meta.url);

/** An answer other than the one hoped for. `code` is the server's, or "unreachable". */
export class Refusal extends Error {
  constructor(code, message, { status = 0, details = {}, retryAfter = null } = {}) {
    super(message);
    Object.assign(this, { code, status, details, retryAfter });
  }
}

async function ask(path, key, options = {}) {
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  let response;
  try {
    response = await fetch(new URL(path, BASE), { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("unreachable", "The server does not answer. Is it still running?");
  }
  if (response.ok) return response;
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  // A proxy in between may answer in another form.
  const { error } = await response.json().catch(() => ({}));
  throw new Refusal(error?.code ?? "unknown", error?.message ?? `The server answered with status ${response.status}.`, {
    status: response.status, details: error?.details ?? {}, retryAfter: Number.isNaN(seconds) ? null : seconds,
  });
}

/** A whole answer; one that breaks off is no answer. */
async function whole(reading) {
  try {
    return await reading;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("unreachable", "The answer of the server broke off.");
  }
}

function documents(id, text, rest = {}) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ documents: [{ id, text }], ...rest }),
  };
}

const OPTIONS = { options: { offset_unit: "utf16" } };

/** Bytes of the request for a text. */
export function bodySize(id, text) {
  return new Blob([documents(id, text, OPTIONS).body]).size;
}

/** Model, labels, limits. */
export async function info(key) {
  const response = await ask("info", key);
  return whole(response.json());
}

/** The result for one text (docs/output.md), with UTF-16 offsets. */
export async function extract(id, text, { key, signal }) {
  const response = await ask("v1/extract", key, { ...documents(id, text, OPTIONS), signal });
  const { results: [result] } = await whole(response.json());
  if (result.error) throw new Refusal(result.error.code, result.error.message, { details: result.error.details });
  return result;
}

/** The result for one text in another format, as a file. */
export async function exported(format, id, text, { key }) {
  const response = await ask(`v1/extract?format=${encodeURIComponent(format)}`, key, documents(id, text));
  return whole(response.blob());
}
