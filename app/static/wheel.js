// A distribution as a wheel: one sector a label, its area the share.

import { draw } from "./element.js";
import { colour } from "./emotions.js";
import { percent } from "./numbers.js";

const RADIUS = 78;
const EDGE = 92;

/** `scores` {label, score}, in any order; sectors stand in the `order` of the labels. */
export function wheel(scores, order) {
  const shares = new Map(scores.map(({ label, score }) => [label, score]));
  const most = Math.max(...shares.values());
  const said = scores.map(({ label, score }) => `${label} ${percent(score, 0)}`).join(", ");
  return draw("svg", { class: "wheel", viewBox: "-150 -110 300 220", role: "img", "aria-label": said },
    [0.5, 1].map((part) => draw("circle", { class: "ring", r: RADIUS * Math.sqrt(part) })),
    order.map((label, position) => sector(label, position, order.length,
      RADIUS * Math.sqrt((shares.get(label) ?? 0) / most))));
}

function sector(label, position, count, radius) {
  const turn = (2 * Math.PI) / count;
  const [from, middle, to] = [0.04, 0.5, 0.96].map((part) => (position + part) * turn - Math.PI / 2);
  const [x, y] = at(middle, EDGE);
  const side = Math.abs(x) < 12 ? "middle" : x > 0 ? "start" : "end";
  const [a, b] = [at(from, radius), at(to, radius)];
  return draw("g", {},
    draw("path", {
      d: `M0 0L${a}A${radius} ${radius} 0 0 1 ${b}Z`, fill: colour(label, position),
    }),
    draw("text", { x, y: y + 4, "text-anchor": side }, label));
}

function at(angle, radius) {
  return [Math.cos(angle), Math.sin(angle)].map((part) => (part * radius).toFixed(2));
}
