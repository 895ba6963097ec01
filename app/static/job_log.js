// The end of a job's log, followed while the job goes on.

import { make } from "./element.js";
import { ask } from "./service.js";

const LINES = 300;

export class JobLog {
  constructor(id) {
    this.path = `v1/jobs/${id}/logs`;
    this.text = make("pre", { class: "log", tabindex: "0", "aria-label": "Log" });
    this.follow = make("input", { type: "checkbox", checked: true });
    this.element = make("section", { class: "panel" },
      make("div", { class: "row spread" }, make("h2", {}, "Log"),
        make("label", {}, this.follow, " Follow")), this.text);
  }

  async refresh() {
    if (!this.follow.checked && this.text.textContent) return;
    const said = await (await ask(this.path, { query: { tail: LINES } })).text();
    if (said === this.said) return;
    this.said = said;
    // A bar that was redrawn in place is its last state alone.
    this.text.textContent = said.split("\n").map((line) => line.split("\r").filter(Boolean).at(-1) ?? "").join("\n");
    this.text.scrollTop = this.text.scrollHeight;
  }
}
