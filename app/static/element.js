// Elements as expressions: make("p", { class: "note" }, "text"). Text is never read as markup.

const SVG = "http://www.w3.org/2000/svg";

export const make = (tag, attributes, ...children) =>
  dressed(document.createElement(tag), attributes, children);

/** An element of a drawing. */
export const draw = (tag, attributes, ...children) =>
  dressed(document.createElementNS(SVG, tag), attributes, children);

export const get = (id) => document.getElementById(id);

/** Draw what is in `place` anew; a link that had the focus has it again. */
export function keepingFocus(place, render) {
  const href = place.contains(document.activeElement) && document.activeElement.getAttribute("href");
  render();
  if (href) place.querySelector(`[href="${CSS.escape(href)}"]`)?.focus();
}

function dressed(element, attributes = {}, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat(2).filter((child) => child || child === 0));
  return element;
}
