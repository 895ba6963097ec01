// An output's scores as bars; each is a button that asks where the evidence lies.

import { make } from "./element.js";
import { colour } from "./emotions.js";
import { percent, points } from "./numbers.js";

/** `order` are the labels as the manifest has them, `explained` {output, label}, `reference` the
 * scores of another model by label, to show the difference from; `choose` is told the label. */
export function bars(kind, scores, { order, explained, reference, choose }) {
  return make("ul", { class: "bars" }, scores.map((score) => make("li", {}, bar(score, {
    tint: colour(score.label, order.indexOf(score.label)),
    isExplained: explained?.output === kind && explained.label === score.label,
    other: reference?.get(score.label), choose,
  }))));
}

function bar(score, { tint, isExplained, other, choose }) {
  const fill = make("span", { class: "fill" });
  fill.style.width = `${100 * score.score}%`;
  fill.style.background = tint;
  const track = make("span", { class: "track" }, fill,
    "threshold" in score && mark("mark", score.threshold),
    other !== undefined && mark("other", other));
  return make("button", {
    type: "button", class: score.selected === false ? "bar unselected" : "bar",
    "aria-pressed": String(isExplained),
    "aria-label": spoken(score, other), title: `Show the evidence for ${score.label}`,
    onclick: () => choose(score.label),
  },
  make("span", { class: "label" }, score.label), track,
  make("span", { class: "number" }, percent(score.score),
    other !== undefined && make("small", {}, points(score.score - other))));
}

function mark(name, at) {
  const line = make("span", { class: name });
  line.style.left = `${100 * at}%`;
  return line;
}

function spoken(score, other) {
  const parts = [`${score.label}, ${percent(score.score)}`];
  if ("threshold" in score) {
    parts.push(`${score.selected ? "holds" : "does not hold"}, from ${percent(score.threshold)} on`);
  }
  if (other !== undefined) parts.push(`${points(score.score - other)} points to the first model`);
  return `${parts.join(", ")}; show the evidence`;
}
