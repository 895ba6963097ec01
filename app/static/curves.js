// A training's figures as curves: one chart a figure, its parts train and val in one.

import { chart } from "./chart.js";
import { make } from "./element.js";

const FIRST = 6;

/** Charts of the points of `GET /v1/jobs/{id}/metrics`. */
export function curves(points) {
  const figures = new Map(); // name -> part -> [[x, y], ...]
  const most = Math.max(1, ...points.map(({ step }) => step + 1));
  for (const { epoch, step, part, metrics } of points) {
    for (const [name, value] of Object.entries(metrics)) {
      const parts = figures.get(name) ?? figures.set(name, new Map()).get(name);
      const series = parts.get(part) ?? parts.set(part, []).get(part);
      series.push([epoch + step / most, value]);
    }
  }
  const charts = [...figures].map(([name, parts]) =>
    chart(name, [...parts].map(([part, series]) => ({ name: part, points: series }))));
  return { first: charts.slice(0, FIRST), more: charts.slice(FIRST) };
}

export class Curves {
  constructor() {
    this.first = make("div", { class: "charts" });
    this.more = make("div", { class: "charts" });
    this.title = make("summary", {});
    this.rest = make("details", { hidden: true }, this.title, this.more);
    this.element = make("section", { class: "panel", hidden: true }, make("h2", {}, "Curves"),
      this.first, this.rest);
    this.shown = -1;
  }

  show(points) {
    if (points.length === this.shown) return; // nothing new: do not disturb who reads them
    this.shown = points.length;
    const { first, more } = curves(points);
    this.element.hidden = first.length === 0;
    this.first.replaceChildren(...first);
    this.rest.hidden = more.length === 0;
    this.title.textContent = `${more.length} more`;
    this.more.replaceChildren(...more);
  }
}
