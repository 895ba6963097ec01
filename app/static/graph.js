// A directed graph drawn from left to right: each node one column after the last of those before it.

import { draw, make } from "./element.js";

const [WIDTH, HEIGHT, ACROSS, DOWN, EDGE] = [176, 50, 60, 16, 2];

/** `nodes` {id, kind, title, note} and `edges` [from, to]; of a circle one edge leads back. */
export function graphOf({ nodes, edges }, title) {
  const places = placed(nodes, edges);
  const columns = Math.max(...[...places.values()].map(({ column }) => column)) + 1;
  const rows = Math.max(...[...places.values()].map(({ row }) => row)) + 1;
  const [width, height] = [columns * (WIDTH + ACROSS) - ACROSS, rows * (HEIGHT + DOWN) - DOWN];
  const said = edges.map(([from, to]) => `${from} to ${to}`).join("; ");
  const picture = draw("svg", {
    class: "graph", width: width + 2 * EDGE, height: height + 2 * EDGE, role: "img",
    viewBox: `${-EDGE} ${-EDGE} ${width + 2 * EDGE} ${height + 2 * EDGE}`, "aria-label": `${title}: ${said}`,
  },
  edges.map(([from, to]) => curve(places.get(from), places.get(to))),
  nodes.map((node) => box(node, places.get(node.id))));
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": title }, picture);
}

/** Column and row of each node: nodes stand near what leads to them, columns are centred. */
function placed(nodes, edges) {
  const depth = new Map();
  const depthOf = (id, behind = []) => {
    if (!depth.has(id)) {
      const way = [id, ...behind];
      const before = edges.filter(([from, to]) => to === id && !way.includes(from))
        .map(([from]) => depthOf(from, way));
      depth.set(id, before.length ? Math.max(...before) + 1 : 0);
    }
    return depth.get(id);
  };
  for (const { id } of nodes) depthOf(id);
  for (const { id } of nodes) {
    // What starts nothing but a late step stands right before it, so that no line runs behind a box.
    const after = edges.filter(([from]) => from === id).map(([, to]) => depth.get(to));
    if (after.length && !edges.some(([, to]) => to === id)) depth.set(id, Math.min(...after) - 1);
  }
  const columns = [];
  for (const { id } of nodes) (columns[depth.get(id)] ??= []).push(id);
  const most = Math.max(...columns.map((column) => column.length));
  const places = new Map();
  columns.forEach((ids, column) => {
    const weight = (id) => {
      const rows = edges.filter(([, to]) => to === id).map(([from]) => places.get(from)?.row ?? 0);
      return rows.length ? rows.reduce((sum, row) => sum + row, 0) / rows.length : 0;
    };
    const sorted = column ? ids.toSorted((a, b) => weight(a) - weight(b)) : ids;
    const top = (most - sorted.length) / 2;
    sorted.forEach((id, row) => places.set(id, { column, row: top + row }));
  });
  return places;
}

const leftOf = ({ column }) => column * (WIDTH + ACROSS);
const topOf = ({ row }) => row * (HEIGHT + DOWN);

function curve(from, to) {
  const [x1, y1] = [leftOf(from) + WIDTH, topOf(from) + HEIGHT / 2];
  const [x2, y2] = [leftOf(to), topOf(to) + HEIGHT / 2];
  const bend = Math.max(28, (x2 - x1) / 2);
  return draw("path", { class: "edge", d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` });
}

function box({ kind, title, note }, place) {
  const [x, y] = [leftOf(place), topOf(place)];
  return draw("g", { class: `node ${kind}` }, draw("title", {}, `${title}, ${note}`),
    draw("rect", { x, y, width: WIDTH, height: HEIGHT, rx: 9 }),
    draw("text", { class: "name", x: x + 12, y: y + 21 }, shortened(title)),
    draw("text", { class: "about", x: x + 12, y: y + 39 }, shortened(note)));
}

const shortened = (text) => (text.length > 18 ? `${text.slice(0, 17)}…` : text);
