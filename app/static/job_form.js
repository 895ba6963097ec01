// A form for a new job: a preset, a few fields laid over it, and JSON for the rest.

import { merged, withValue } from "./config_path.js";
import { copyable } from "./copying.js";
import { make } from "./element.js";
import { Field, choice, textInput } from "./field.js";
import { fieldsOf } from "./job_fields.js";
import { KINDS, titleOf } from "./job_status.js";
import { hasKey } from "./key.js";
import { read, send } from "./service.js";
import { quoted } from "./call.js";

const TRAINED = ["amalgamate", "finetune", "pretrain"];
const NO_PRESET = "";

export class JobForm {
  /** `submitted` is called with the record of a job that was accepted. */
  constructor({ submitted }) {
    this.submitted = submitted;
    this.kind = new Field(["kind"], "Kind", choice(KINDS), { initial: "pipeline" });
    this.preset = new Field(["config", "preset"], "Preset", choice([]),
      { hint: "A configuration that comes with the code; the fields below are laid over it." });
    this.name = new Field(["name"], "Name", textInput({ maxlength: 200 }), { hint: "For people; may be empty." });
    this.json = new Field(["config"], "More fields, as JSON",
      make("textarea", { rows: 5, spellcheck: "false", placeholder: '{"batch_size": 16}' }),
      { hint: "Laid over the preset and the fields above." });
    this.settings = make("div", { class: "fields" });
    this.whole = make("pre", { tabindex: "0", "aria-label": "The preset in full" });
    this.errors = make("div", { class: "wrong", role: "alert", hidden: true });
    this.request = make("div", {});
    this.known = make("datalist", { id: "known-jobs" });
    this.datasets = make("datalist", { id: "known-datasets" });
    this.element = make("form", { class: "panel stack", novalidate: true, "aria-label": "New job" },
      make("h2", {}, "New job"), this.errors,
      make("div", { class: "fields" }, this.kind.element, this.preset.element, this.name.element),
      make("fieldset", {}, make("legend", {}, "Changed most"), this.settings),
      this.json.element,
      make("details", {}, make("summary", {}, "The preset in full"), this.whole),
      make("details", {}, make("summary", {}, "The call for this"), this.request),
      this.known, this.datasets,
      make("p", { class: "row end" }, make("a", { class: "button quiet", href: "#" }, "Back"),
        make("button", {}, "Submit")));
    this.kind.control.addEventListener("change", () => this.#fillPresets());
    this.preset.control.addEventListener("change", () => this.#fillFields());
    this.element.addEventListener("input", () => this.#showRequest());
    this.element.addEventListener("submit", (event) => this.#submit(event));
  }

  async open() {
    const [{ items }, datasets, ...pages] = await Promise.all([read("v1/presets"),
      read("v1/datasets", { limit: 100 }), ...TRAINED.map((kind) => read("v1/jobs", { kind, limit: 50 }))]);
    this.presets = items;
    this.known.replaceChildren(...pages.flatMap((page) => page.items).map((job) =>
      make("option", { value: job.id }, `${titleOf(job)}, ${job.status}`)));
    this.datasets.replaceChildren(...datasets.items.map(({ name, title }) =>
      make("option", { value: name }, title ?? name)));
    this.#fillPresets();
    return this;
  }

  #fillPresets() {
    const fitting = this.presets.filter(({ kind }) => kind === this.kind.value);
    this.preset.control.replaceChildren(
      ...fitting.map(({ name }) => make("option", { value: name }, name)),
      make("option", { value: NO_PRESET }, "none: all of it as JSON"));
    this.preset.control.value = fitting[0]?.name ?? NO_PRESET;
    this.#fillFields();
  }

  #fillFields() {
    this.below = this.presets.find(({ name }) => name === this.preset.value)?.config ?? {};
    this.fields = this.preset.value ? fieldsOf(this.kind.value, this.below) : [];
    this.settings.replaceChildren(...this.fields.map((field) => field.element));
    this.settings.parentElement.hidden = this.fields.length === 0;
    this.whole.textContent = JSON.stringify(this.below, null, 2);
    this.#clear();
    this.#showRequest();
  }

  /** The request's body; raises SyntaxError for what is not JSON. */
  #body() {
    let changes = this.preset.value ? { preset: this.preset.value } : {};
    for (const field of this.fields.filter((each) => each.isChanged)) {
      const value = field.value === "" ? null : field.value;
      for (const path of field.paths) changes = withValue(changes, this.below, path.slice(1), value);
    }
    const more = JSON.parse(this.json.control.value.trim() || "{}");
    if (more === null || typeof more !== "object" || Array.isArray(more)) {
      throw new SyntaxError('expected an object, such as {"epochs": 3}');
    }
    const name = this.name.value === "" ? {} : { name: String(this.name.value) };
    return { kind: this.kind.value, config: merged(changes, more), ...name };
  }

  #showRequest() {
    try {
      const url = new URL("v1/jobs", document.baseURI).href;
      const key = hasKey() ? '-H "Authorization: Bearer $SENTISCOPE_KEY" ' : "";
      const call = `curl -sS ${key}--json ${quoted(JSON.stringify(this.#body()))} ${url}`;
      this.request.replaceChildren(copyable(call, "the curl call for this job"));
    } catch {
      this.request.replaceChildren(make("p", { class: "note" }, "The JSON above is not complete."));
    }
  }

  async #submit(event) {
    event.preventDefault();
    this.#clear();
    const button = this.element.querySelector("button:not([type])");
    button.disabled = true;
    try {
      const body = this.#body();
      this.submitted(await send("POST", "v1/jobs", body, { "Idempotency-Key": this.#keyFor(body) }));
    } catch (error) {
      if (error instanceof SyntaxError) this.json.blame(`This is not JSON: ${error.message}.`);
      else this.#show(error);
      (this.element.querySelector("[aria-invalid=true]") ?? this.errors).focus();
    } finally {
      button.disabled = false;
    }
  }

  /** The same body keeps its key, so that sending it again after a lost answer makes no second job. */
  #keyFor(body) {
    const text = JSON.stringify(body);
    if (this.sent?.text !== text) {
      const random = crypto.getRandomValues(new Uint8Array(16));
      this.sent = { text, key: [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
    }
    return this.sent.key;
  }

  #show({ message, faults }) {
    const elsewhere = [];
    for (const { loc, msg } of faults) {
      const path = loc[0] === "body" ? loc.slice(1) : loc;
      const field = this.#fieldAt(path);
      if (field === this.json) field.blame(`${path.slice(1).join(".") || "config"}: ${msg}.`);
      else if (field) field.blame(msg);
      else elsewhere.push(`${path.join(".")}: ${msg}`);
    }
    this.errors.hidden = false;
    this.errors.tabIndex = -1;
    this.errors.replaceChildren(make("strong", {}, faults.length
      ? "The job was not accepted: see what is marked below." : message),
    ...elsewhere.map((text) => make("p", {}, text)));
  }

  /** The field of a place: its own, or the JSON for what has none. */
  #fieldAt(path) {
    const text = path.join(".");
    const own = [this.kind, this.preset, this.name, ...this.fields];
    return own.find(({ paths }) => paths.some((each) => each.join(".") === text))
      ?? (path[0] === "config" ? this.json : undefined);
  }

  #clear() {
    this.errors.hidden = true;
    for (const field of [this.kind, this.preset, this.name, this.json, ...this.fields]) field.clear();
  }
}
