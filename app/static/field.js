// A control with its label, its hint, and room for what is wrong with it.

import { make } from "./element.js";

export class Field {
  /**
   * `path` is where its value stands in a request's body, as it does at every path of `also`;
   * `initial` is what it shows first.
   */
  constructor(path, label, control, { hint, initial, also = [] } = {}) {
    const id = `field-${path.join("-")}`;
    this.paths = [path, ...also];
    this.control = control;
    this.initial = initial ?? "";
    this.fault = make("p", { id: `${id}-fault`, class: "fault", hidden: true });
    control.id = id;
    control.setAttribute("aria-describedby", hint ? `${id}-hint ${id}-fault` : `${id}-fault`);
    if (control.type === "checkbox") control.checked = Boolean(initial);
    else control.value = this.initial;
    this.element = make("div", { class: `field ${control.type === "checkbox" ? "check" : ""}` },
      make("label", { for: id }, label), control,
      hint && make("p", { id: `${id}-hint`, class: "note" }, hint), this.fault);
  }

  get isChanged() {
    if (this.control.type === "checkbox") return this.control.checked !== Boolean(this.initial);
    return this.control.value.trim() !== String(this.initial);
  }

  /** The value as JSON: what looks like a number is one, unless the field is for text. */
  get value() {
    if (this.control.type === "checkbox") return this.control.checked;
    const text = this.control.value.trim();
    const isNumber = text !== "" && this.control.inputMode === "decimal" && Number.isFinite(Number(text));
    return isNumber ? Number(text) : text;
  }

  blame(message) {
    const before = this.fault.hidden ? "" : `${this.fault.textContent} `;
    this.fault.hidden = false;
    this.fault.textContent = before + message;
    this.control.setAttribute("aria-invalid", "true");
  }

  clear() {
    this.fault.hidden = true;
    this.control.removeAttribute("aria-invalid");
  }
}

export const numberInput = () => make("input", { inputmode: "decimal", autocomplete: "off" });

export const textInput = (more = {}) => make("input", { autocomplete: "off", ...more });

export const choice = (values) =>
  make("select", {}, values.map((value) => make("option", { value: value ?? "" }, value ?? "none")));
