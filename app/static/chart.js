// A line chart: a few series over the epochs, drawn as one picture.

import { draw, make } from "./element.js";
import { figure } from "./numbers.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [340, 170, 52, 10, 10, 24];

/** `series` are {name, points: [[x, y], ...]}; those whose y is no number are left out. */
export function chart(title, series) {
  const kept = series.map(({ name, points }) => ({ name, points: points.filter(([, y]) => Number.isFinite(y)) }))
    .filter(({ points }) => points.length);
  const all = kept.flatMap(({ points }) => points);
  const x = scale(all.map((point) => point[0]), LEFT, WIDTH - RIGHT);
  const y = scale(all.map((point) => point[1]), HEIGHT - BOTTOM, TOP);
  return make("figure", { class: "chart" },
    make("figcaption", {}, make("strong", {}, title), kept.map(({ name, points }) =>
      make("span", { class: `key ${name}` }, `${name} ${figure(points.at(-1)[1])}`))),
    draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": spoken(title, kept) },
      axes(x, y), kept.map(({ name, points }) => line(name, points.map(([a, b]) => [x.at(a), y.at(b)])))));
}

function scale(values, from, to) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const at = (value) => (high > low ? from + ((value - low) / (high - low)) * (to - from) : (from + to) / 2);
  return { low, high, at };
}

function axes(x, y) {
  const label = (text, more) => draw("text", { class: "tick", ...more }, text);
  const floor = HEIGHT - BOTTOM;
  const marks = y.high > y.low ? [y.low, (y.low + y.high) / 2, y.high] : [y.low];
  return draw("g", {},
    marks.map((value) => [
      draw("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y.at(value), y2: y.at(value) }),
      label(figure(value), { x: LEFT - 6, y: y.at(value) + 4, "text-anchor": "end" }),
    ]),
    label(x.high > x.low ? figure(x.low) : "", { x: LEFT, y: floor + 18 }),
    label(`epoch ${figure(x.high)}`, { x: WIDTH - RIGHT, y: floor + 18, "text-anchor": "end" }));
}

function line(name, points) {
  return draw("g", { class: `series ${name}` },
    draw("polyline", { points: points.map((point) => point.map((part) => part.toFixed(1))).join(" ") }),
    points.length < 30 && points.map(([cx, cy]) => draw("circle", { cx, cy, r: 2.5 })));
}

function spoken(title, series) {
  const parts = series.map(({ name, points }) =>
    `${name} from ${figure(points[0][1])} to ${figure(points.at(-1)[1])} in ${points.length} points`);
  return `${title}: ${parts.join("; ")}`;
}
