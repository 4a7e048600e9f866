// Small helpers over the DOM. Text goes in as text, never as markup, so that
// what an instruction or an object's name contains cannot become part of the page.

/** Makes an element: make("p", {class: "x", onclick: f}, "text", child). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

/** Gives the element with this id; a missing one is a mistake in the page. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return element;
}

/** Sets the text of an element, and touches the DOM only when it differs. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Writes a probability so that small ones can be told apart. */
export function probability(p) {
  if (p >= 0.01 || p === 0) return p.toFixed(2);
  const exponent = Math.floor(Math.log10(p));
  return exponent < -99 ? "0" : `${Math.round(p / 10 ** exponent)}e${exponent}`;
}

/** Writes seconds for a person. */
export function seconds(s) {
  return s < 10 ? `${s.toFixed(1)} s` : s < 120 ? `${Math.round(s)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}

/** An identifier that no other page chooses. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return "page-" + Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
