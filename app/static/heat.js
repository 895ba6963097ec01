// A picture with its evidence laid over it: a slider shows more or less of that.

import { make } from "./element.js";
import { figure } from "./numbers.js";

let count = 0;

/** What is on show of `address`; `show` lays an explanation over it. */
export class HeatedPicture {
  constructor(address, name) {
    const id = `heat-${++count}`;
    this.overlay = make("img", { class: "overlay", alt: "", hidden: true });
    this.numbers = make("div", { class: "cells", hidden: true, "aria-hidden": "true" });
    this.caption = make("figcaption", {}, "The evidence comes with the answer.");
    this.slider = make("input", {
      id, type: "range", min: 0, max: 100, value: 100, disabled: true, oninput: () => this.#fade(),
    });
    this.switch = make("input", {
      type: "checkbox", disabled: true, onchange: () => (this.numbers.hidden = !this.switch.checked),
    });
    this.photo = make("img", { class: "photo", src: address, alt: name });
    this.element = make("figure", { class: "heated" },
      make("div", { class: "frame" }, this.photo, this.overlay, this.numbers),
      this.caption,
      make("div", { class: "row" },
        make("label", { for: id }, "Heatmap"), this.slider,
        make("label", {}, this.switch, " Numbers")));
  }

  /** `explanation` as the service gives it, of a model with this `preprocessing`. */
  show(explanation, preprocessing) {
    this.overlay.src = `data:image/png;base64,${explanation.png_base64}`;
    const box = seen(preprocessing, this.photo.naturalWidth, this.photo.naturalHeight);
    for (const layer of [this.overlay, this.numbers]) Object.assign(layer.style, box);
    this.numbers.style.gridTemplateColumns = `repeat(${explanation.grid[0].length}, 1fr)`;
    this.numbers.replaceChildren(
      ...explanation.grid.flat().map((value) => make("span", {}, value.toFixed(1))));
    const values = explanation.grid.flat();
    this.caption.replaceChildren("Evidence for ", make("strong", {}, explanation.label),
      ` (${explanation.output}), from ${figure(Math.min(...values))} to ${figure(Math.max(...values))}`);
    this.overlay.alt = `Where the evidence for ${explanation.label} lies`;
    this.slider.disabled = this.switch.disabled = false;
    this.#fade();
  }

  #fade() {
    this.overlay.hidden = Number(this.slider.value) === 0;
    this.overlay.style.opacity = String(this.slider.value / 100);
  }
}

/** The part of a picture that reaches the model, as shares of its sides. */
function seen({ resize, size, crop }, width, height) {
  const share = (crop ?? size) / size;
  const shorter = Math.min(width, height);
  const [w, h] = resize === "shorter_side" ? [shorter / width, shorter / height] : [1, 1];
  const text = (part) => `${(100 * part).toFixed(3)}%`;
  return {
    width: text(w * share), height: text(h * share),
    left: text((1 - w * share) / 2), top: text((1 - h * share) / 2),
  };
}
