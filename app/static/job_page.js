// One job as it stands: progress, curves, steps, log, files, result, and what can be asked of it.

import { Artifacts } from "./artifacts.js";
import { Curves } from "./curves.js";
import { keepingFocus, make } from "./element.js";
import { JobLog } from "./job_log.js";
import { resultOf } from "./job_result.js";
import { actionsOf, hasEnded, pill, progressOf, titleOf } from "./job_status.js";
import { ago, clock } from "./numbers.js";
import { every } from "./poll.js";
import { read, send } from "./service.js";

const POLL_S = 2;

export class JobPage {
  constructor(id, { failed, say }) {
    this.id = id;
    this.failed = failed;
    this.say = say;
    this.head = make("section", { class: "panel" });
    this.result = make("div", {});
    this.steps = make("section", { class: "panel", hidden: true });
    this.curves = new Curves();
    this.log = new JobLog(id);
    this.artifacts = new Artifacts(id);
    this.config = make("pre", { tabindex: "0", "aria-label": "Configuration" });
    this.element = make("div", {},
      make("p", {}, make("a", { href: "#" }, "← All jobs")), this.head, this.result, this.steps,
      this.curves.element, this.artifacts.gallery, this.log.element, this.artifacts.files,
      make("details", { class: "panel" }, make("summary", {}, "Configuration"), this.config));
  }

  /** Follow the job until it has ended, or until the function that is returned is called. */
  follow() {
    this.stop?.();
    this.stop = every(POLL_S, () => this.#refresh());
    return () => this.stop();
  }

  async #refresh() {
    try {
      const job = await read(`v1/jobs/${this.id}`);
      await Promise.all([this.#showSteps(job), this.#showRun(job)]);
      if (!this.element.isConnected) return "done";
      this.failed(null);
      this.#show(job);
      return hasEnded(job) ? "done" : false;
    } catch (error) {
      if (this.element.isConnected) this.failed(error);
      return [401, 404].includes(error.status) ? "done" : false;
    }
  }

  async #showRun(job) {
    this.log.element.hidden = job.kind === "pipeline"; // its steps have logs of their own
    if (job.kind === "pipeline") return;
    const [{ items }] = await Promise.all([read(`v1/jobs/${this.id}/metrics`),
      this.log.refresh(), this.artifacts.refresh()]);
    this.curves.show(items);
  }

  async #showSteps(job) {
    if (job.kind !== "pipeline") return;
    const { items } = await read("v1/jobs", { parent_id: this.id });
    this.steps.hidden = false;
    keepingFocus(this.steps, () => this.steps.replaceChildren(make("h2", {}, "Steps"),
      make("ol", { class: "rows" }, items.toReversed().map((step) => make("li", {},
        make("a", { class: "job", href: `#${step.id}` },
          make("span", { class: "job-title" }, make("strong", {}, step.step),
            step.step !== step.kind && make("span", { class: "note" }, step.kind)),
          pill(step), progressOf(step)))))));
  }

  #show(job) {
    const state = JSON.stringify(job);
    if (state === this.shown) return;
    this.shown = state;
    if (job.status !== this.status && this.status) this.say(`${titleOf(job)} is ${job.status}.`);
    this.status = job.status;
    document.title = `${titleOf(job)}, ${job.status} · Sentiscope`;
    const focused = document.activeElement?.dataset?.action;
    this.head.replaceChildren(...this.#heading(job));
    if (focused) this.head.querySelector("[data-action]")?.focus();
    this.result.replaceChildren(resultOf(job) ?? "");
    this.config.textContent = JSON.stringify(job.config, null, 2);
  }

  #heading(job) {
    const facts = [job.kind, `submitted ${ago(job.created_at)}`, job.worker && `on ${job.worker}`,
      job.attempts > 1 && `start ${job.attempts}`].filter(Boolean);
    return [
      make("div", { class: "row spread" },
        make("h2", { class: "row" }, titleOf(job), pill(job)),
        make("div", { class: "row" }, actionsOf(job).map((action) => this.#button(action)))),
      make("p", { class: "note", title: clock(job.created_at) }, facts.join(" · "),
        job.parent_id && [" · ", make("a", { href: `#${job.parent_id}` }, "its pipeline")]),
      progressOf(job),
      job.status === "queued" && job.depends_on.length > 0 && make("p", { class: "note" }, "Waits for ",
        job.depends_on.map((id) => [make("a", { href: `#${id}` }, `…${id.slice(-6)}`), " "])),
      make("p", { class: "note id" }, job.id),
    ].filter(Boolean);
  }

  #button(action) {
    const title = action[0].toUpperCase() + action.slice(1);
    return make("button", {
      type: "button", class: "quiet small", "data-action": action,
      onclick: async (event) => {
        event.target.disabled = true;
        try {
          await send("POST", `v1/jobs/${this.id}/${action}`);
        } catch (error) {
          this.failed(error);
        }
        this.follow();
      },
    }, title);
  }
}
