// How sure an answer is, in words and figures.

import { make } from "./element.js";
import { percent } from "./numbers.js";

const DIVIDED = [[0.45, "Most viewers agree"], [0.75, "Viewers are divided"],
  [Infinity, "Viewers feel all sorts of things"]];

/** The calibrated score of the one feeling, and the labels that hold the right one. */
export function ofSingle(found, { temperature }) {
  return make("div", { class: "sure" },
    make("p", {}, make("strong", { class: "headline" }, found.label), " ",
      make("span", { class: "headline-score" }, percent(found.score))),
    make("p", { class: "note" },
      temperature === 1 ? "This version's scores are as the network gave them, not calibrated."
        : "Calibrated: among photos like its validation data, about this share is what it says."),
    make("p", {}, found.set ? setOf(found.set) : "No label set was fitted for this version."));
}

function setOf({ labels, coverage }) {
  return [make("strong", {}, listed(labels)),
    `: ${labels.length > 1 ? "one of these" : "this"} is right for ${percent(coverage, 0)} of photos `
    + "like those it was checked on."];
}

/** How far the viewers are apart: the entropy as a share of the most there can be. */
export function ofDistribution({ entropy }, count) {
  const share = entropy / Math.log(count);
  const [, words] = DIVIDED.find(([limit]) => share < limit);
  return make("p", { class: "note" }, make("strong", {}, words), ": entropy "
    + `${entropy.toFixed(2)} of at most ${Math.log(count).toFixed(2)} nats.`);
}

export function ofMulti({ labels }) {
  return make("p", { class: "note" }, labels.length
    ? [make("strong", {}, listed(labels, "and")), ` ${labels.length > 1 ? "hold" : "holds"}.`]
    : make("strong", {}, "None holds."), " Each counts from its mark on.");
}

function listed(labels, word = "or") {
  if (labels.length < 2) return labels.join("");
  return `${labels.slice(0, -1).join(", ")} ${word} ${labels.at(-1)}`;
}
