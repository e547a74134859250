// Offsets and pieces of text. The server is asked for UTF-16 offsets, which are those of JavaScript's strings.

/**
 * Cuts `start..end` wherever one of `spans` begins or ends, so that spans may overlap in any way: each segment knows
 * all spans that cover it. Spans are objects with `start` and `end`; what reaches out of the range is cut off.
 */
export function segments(start, end, spans) {
  const inside = spans
    .map((span) => ({ from: Math.max(span.start, start), to: Math.min(span.end, end), span }))
    .filter(({ from, to }) => from < to)
    .sort((one, two) => one.from - two.from);
  const borders = new Set([start, end]);
  for (const { from, to } of inside) borders.add(from).add(to);
  const sorted = [...borders].sort((one, two) => one - two);
  const pieces = [];
  let covering = [];
  let next = 0;
  for (let index = 0; index + 1 < sorted.length; index++) {
    const [from, to] = [sorted[index], sorted[index + 1]];
    covering = covering.filter((open) => open.to > from);
    while (next < inside.length && inside[next].from === from) covering.push(inside[next++]);
    pieces.push({ start: from, end: to, spans: covering.map((open) => open.span) });
  }
  return pieces;
}

/** The lines of a text that hold more than white space, as `{start, end}`. */
export function paragraphs(text) {
  const found = [];
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    if (text.slice(start, end).trim()) found.push({ start, end });
    start = end + 1;
  }
  return found;
}

/** Tells how many code points stand before a UTF-16 offset. */
export class CodePoints {
  #pairs = [];

  constructor(text) {
    for (const { index } of text.matchAll(/[\u{10000}-\u{10ffff}]/gu)) this.#pairs.push(index);
  }

  at(offset) {
    let [low, high] = [0, this.#pairs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#pairs[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return offset - low;
  }
}

/** Takes white space off both ends of a range, and never leaves half a character. */
export function trimmed(text, { start, end }) {
  if (isLow(text, start)) start -= 1;
  if (isLow(text, end)) end += 1;
  while (start < end && /\s/.test(text[start])) start += 1;
  while (end > start && /\s/.test(text[end - 1])) end -= 1;
  return { start, end };
}

/** Whether the second half of a surrogate pair stands here. */
function isLow(text, offset) {
  return offset > 0 && /[\udc00-\udfff]/.test(text[offset] ?? "") && /[\ud800-\udbff]/.test(text[offset - 1]);
}

const words = new Intl.Segmenter(undefined, { granularity: "word" });

/**
 * Where a border comes to lie when it is moved by a word (`step` 1 or -1): an end behind the last letter of a word, a
 * start before its first. Punctuation counts as words, white space does not. Stays within the paragraph.
 */
export function movedByWord(text, offset, step, edge) {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", offset);
  const lineEnd = newline < 0 ? text.length : newline;
  const borders = [...words.segment(text.slice(lineStart, lineEnd))]
    .filter(({ segment }) => segment.trim())
    .map(({ index, segment }) => lineStart + index + (edge === "end" ? segment.length : 0));
  const found = step > 0 ? borders.find((at) => at > offset) : borders.findLast((at) => at < offset);
  return found ?? offset;
}
