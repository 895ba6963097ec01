// What one model says of one picture.

import { bars } from "./bars.js";
import { manifest, split } from "./catalogue.js";
import { make } from "./element.js";
import { HeatedPicture } from "./heat.js";
import { ask } from "./service.js";
import { ofDistribution, ofMulti, ofSingle } from "./uncertainty.js";
import { wheel } from "./wheel.js";

const TITLES = { single: "One feeling", multi: "Any feelings", distribution: "How viewers divide" };
const USUAL_COVERAGE = 0.9;

export class Reading {
  /** `changed` is called whenever something else is shown. */
  constructor(photo, reference, { changed, isCompared }) {
    this.photo = photo;
    this.reference = reference;
    this.explained = null;
    this.other = null; // the first model's prediction, to show the difference from
    this.prediction = null;
    this.turn = 0;
    this.changed = changed;
    this.picture = new HeatedPicture(photo.address, photo.name);
    this.outputs = make("div", { class: "outputs" });
    const { name, version } = split(reference);
    this.element = make("section", { class: "reading", "aria-busy": "true" },
      isCompared && make("h3", { class: "model-name" }, `${name}, version ${version}`),
      make("div", { class: "sheet" }, this.picture.element, this.outputs));
  }

  /** The options of the request that this shows the answer of. */
  async query() {
    const { name, version } = split(this.reference);
    this.manifest = await manifest(name, version);
    const sets = this.manifest.outputs.flatMap(({ label_sets: found }) => found ?? []);
    const coverages = sets.map(({ coverage }) => coverage);
    const coverage = coverages.includes(USUAL_COVERAGE) ? USUAL_COVERAGE : coverages[0];
    return {
      model: this.reference, explain: "heatmap",
      ...(coverage && { coverage: String(coverage) }),
      ...(this.explained && {
        explain_output: this.explained.output, explain_label: this.explained.label,
      }),
    };
  }

  /** Ask and show; raises Refused. Answers to older questions are dropped. */
  async refresh() {
    const mine = ++this.turn;
    this.element.setAttribute("aria-busy", "true");
    try {
      const body = new FormData();
      body.append("image", this.photo.file, this.photo.name);
      const response = await ask("v1/predictions", {
        method: "POST", query: await this.query(), body,
      });
      const { predictions: [prediction] } = await response.json();
      await this.picture.photo.decode().catch(() => {}); // its size says where the heat lies
      if (mine === this.turn) this.#show(prediction);
    } finally {
      if (mine === this.turn) this.element.setAttribute("aria-busy", "false");
    }
  }

  /** Show differences from another model's prediction; it must have the same labels to have any. */
  compareWith(prediction) {
    this.other = prediction;
    if (this.prediction) this.#render();
  }

  #show(prediction) {
    this.prediction = prediction;
    const { output, label } = prediction.explanation;
    this.explained = { output, label };
    this.picture.show(prediction.explanation, this.manifest.preprocessing);
    this.#render();
    this.changed(this);
  }

  #render() {
    const focused = document.activeElement?.closest?.(".bar")?.getAttribute("aria-label");
    this.outputs.replaceChildren(...this.manifest.outputs.map((output) => this.#output(output)));
    if (!focused || !this.element.isConnected) return;
    this.outputs.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }

  #output(output) {
    const { kind, labels: { names } } = output;
    const found = this.prediction[kind];
    const about = {
      single: () => ofSingle(found, output),
      multi: () => ofMulti(found),
      distribution: () => [ofDistribution(found, names.length), wheel(found.scores, names)],
    }[kind]();
    const scores = this.other?.[kind]?.scores;
    return make("section", { class: `output ${kind}` }, make("h4", {}, TITLES[kind]), about,
      bars(kind, found.scores, {
        order: names, explained: this.explained,
        reference: scores && new Map(scores.map(({ label, score }) => [label, score])),
        choose: (label) => this.#explain(kind, label),
      }));
  }

  async #explain(output, label) {
    this.explained = { output, label };
    try {
      await this.refresh();
    } catch (error) {
      this.picture.caption.textContent = error.message;
    }
  }
}
