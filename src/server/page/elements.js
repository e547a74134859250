// Elements, made from names and texts. A text only ever goes in as a text: nothing on the page makes markup of strings.

/**
 * Makes an element. Properties are attributes; those that begin with "on" are listeners, and what is null, undefined or
 * false is left out. Children are nodes or texts.
 */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (property.startsWith("on")) element.addEventListener(property.slice(2), value);
    else if (value === true) element.setAttribute(property, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(property, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The element with an id. */
export function byId(id) {
  return document.getElementById(id);
}

/** A whole number as people write it. */
export function count(number) {
  return number.toLocaleString("en");
}

/** "1 statement", "12 statements". */
export function several(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** A message as a sentence of its own. */
export function sentence(text) {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(upper) ? upper : `${upper}.`;
}

/** A score, 0 to 1. */
export function score(number) {
  return number.toFixed(2);
}

/** Gives a file to the person in front of the page. */
export function download(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  // Some browsers begin to read only after this function has ended.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
