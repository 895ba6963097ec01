// The Markdown of model cards as elements; text alone is taken over, so that no card can run anything.

import { make } from "./element.js";

const BLOCKS = [
  [/^```/, code], [/^#{1,6} /, heading], [/^\|/, table], [/^[-*] /, list], [/\S/, paragraph],
];

/** Elements of headings, paragraphs, lists, tables and code; anything else stays text. */
export function markdown(text) {
  const lines = text.split("\n");
  const found = [];
  while (lines.length) {
    const block = BLOCKS.find(([start]) => start.test(lines[0]));
    if (block) found.push(block[1](lines));
    else lines.shift();
  }
  return found;
}

function taken(lines, goesOn) {
  const found = [lines.shift()];
  while (lines.length && goesOn(lines[0])) found.push(lines.shift());
  return found;
}

function code(lines) {
  lines.shift();
  const found = [];
  while (lines.length && !lines[0].startsWith("```")) found.push(lines.shift());
  lines.shift();
  return make("pre", { tabindex: "0" }, found.join("\n"));
}

/** A card stands below the page's own headings. */
function heading(lines) {
  const [, marks, text] = /^(#+) (.*)/.exec(lines.shift());
  return make(`h${Math.min(6, marks.length + 2)}`, {}, inline(text));
}

function table(lines) {
  const rows = taken(lines, (line) => line.startsWith("|"))
    .map((line) => line.replace(/^\||\|\s*$/g, "").split("|").map((cell) => cell.trim()));
  const [head, , ...body] = rows;
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Table" }, make("table", {},
    make("thead", {}, make("tr", {}, head.map((cell) => make("th", { scope: "col" }, inline(cell))))),
    make("tbody", {}, body.map((row) => make("tr", {}, row.map((cell) => make("td", {}, inline(cell))))))));
}

function list(lines) {
  const items = [];
  for (const line of taken(lines, (next) => /^([-*] |\s+\S)/.test(next))) {
    if (/^[-*] /.test(line)) items.push(line.slice(2));
    else items.push(`${items.pop()} ${line.trim()}`);
  }
  return make("ul", {}, items.map((item) => make("li", {}, inline(item))));
}

function paragraph(lines) {
  return make("p", {}, inline(taken(lines, (line) => /^[^#|`\s]/.test(line) && !/^[-*] /.test(line)).join(" ")));
}

/** Strong, emphasised and code parts of a line. */
function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`|\*[^*\s][^*]*\*)/).map((part) => {
    if (part.startsWith("**") && part.length > 4) return make("strong", {}, part.slice(2, -2));
    if (part.startsWith("`") && part.length > 2) return make("code", {}, part.slice(1, -1));
    if (part.startsWith("*") && part.length > 2) return make("em", {}, part.slice(1, -1));
    return part;
  });
}
