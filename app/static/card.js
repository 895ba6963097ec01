// One picture with all that is said of it: by one model or two, or why nothing is.

import { curlCall, pythonCall } from "./call.js";
import { copyable } from "./copying.js";
import { make } from "./element.js";
import { percent, points } from "./numbers.js";
import { Reading } from "./reading.js";

export class Card {
  /** `photo` is {name, file, address, sample?}; `removed` is called when it is put away. */
  constructor(photo, { removed, said }) {
    this.photo = photo;
    this.said = said;
    this.facts = make("span", { class: "note" });
    this.body = make("div", { class: "readings" });
    this.difference = make("p", { class: "difference", hidden: true });
    this.calls = make("div", { class: "calls" });
    this.element = make("article", { class: "card", "aria-label": photo.name },
      make("header", { class: "row" }, make("h2", {}, photo.name), this.facts,
        make("button", {
          type: "button", class: "quiet small", "aria-label": `Remove ${photo.name}`,
          onclick: () => removed(this),
        }, "Remove")),
      this.difference, this.body,
      make("details", { class: "call", hidden: true }, make("summary", {}, "The call for this"),
        this.calls));
  }

  /** Ask each of the models named; nothing is raised, an error stands in the picture's place. */
  async ask(references) {
    this.readings = references.map((reference) => new Reading(this.photo, reference, {
      changed: () => this.#changed(), isCompared: references.length > 1,
    }));
    const mine = this.readings;
    this.difference.hidden = true;
    this.body.replaceChildren(...mine.map((reading) => reading.element));
    try {
      await Promise.all(mine.map((reading) => reading.refresh()));
    } catch (error) {
      if (mine === this.readings) this.#fail(error);
    }
  }

  #fail(error) {
    this.readings = [];
    this.element.querySelector(".call").hidden = true;
    this.facts.textContent = "";
    this.body.replaceChildren(make("div", { class: "wrong", role: "alert" },
      make("strong", {}, error.title ?? "No answer"), make("p", {}, error.message)));
  }

  async #changed() {
    const [first, second] = this.readings;
    if (!first?.prediction) return;
    const { image, single } = first.prediction;
    this.facts.textContent = `${image.width} × ${image.height} ${image.format}`;
    if (second?.prediction) this.#compare(first, second);
    if (single) this.said(`${this.photo.name}: ${single.label}, ${percent(single.score)}`);
    const queries = await Promise.all(this.readings.map((reading) => reading.query()));
    this.element.querySelector(".call").hidden = false;
    this.calls.replaceChildren(...queries.flatMap((query) => [
      make("h3", {}, `Shell, ${query.model}`),
      copyable(curlCall([this.photo], query), `the curl call for ${query.model}`),
      make("h3", {}, `Python, ${query.model}`),
      copyable(pythonCall([this.photo], query), `the Python call for ${query.model}`),
    ]));
  }

  #compare(first, second) {
    if (second.other !== first.prediction) second.compareWith(first.prediction);
    this.difference.hidden = false;
    this.difference.textContent = difference(first.prediction, second.prediction);
  }
}

function difference(a, b) {
  if (!a.single || !b.single) return "The two have different outputs.";
  const same = a.single.label === b.single.label;
  const words = same ? `Both say ${a.single.label}.`
    : `They differ: ${a.single.label} or ${b.single.label}.`;
  const shares = new Map((a.distribution?.scores ?? []).map(({ label, score }) => [label, score]));
  const moved = (b.distribution?.scores ?? []).filter(({ label }) => shares.has(label))
    .map(({ label, score }) => [label, score - shares.get(label)])
    .sort(([, x], [, y]) => Math.abs(y) - Math.abs(x))[0];
  return moved ? `${words} Of the shares, ${moved[0]} differs most: ${points(moved[1])} points.` : words;
}
