// Which version each alias means, and the moves of them.

import { make } from "./element.js";
import { send } from "./service.js";

const PRODUCTION = "production";

/** Controls for the aliases of a model; `moved` is called after a move, `said` told what happened. */
export function aliasControls({ name, versions, aliases }, { moved, said }) {
  const known = [...new Set([PRODUCTION, ...Object.keys(aliases)])];
  async function move(alias, version) {
    try {
      await send("PUT", `v1/models/${encodeURIComponent(name)}/aliases/${encodeURIComponent(alias)}`, { version });
      said(`${alias} of ${name} means version ${version} now.`);
      moved();
    } catch (error) {
      said(`${alias} was not moved: ${error.message}`);
    }
  }
  return make("div", {},
    make("ul", { class: "aliases" }, known.map((alias) => control(name, alias, aliases[alias], versions, move))),
    newAlias(name, versions, move));
}

function control(name, alias, current, versions, move) {
  const select = make("select", { id: `alias-${alias}` },
    versions.toReversed().map((version) => make("option", { value: version, selected: version === current }, `version ${version}`)));
  const button = make("button", {
    type: "button", class: "small", disabled: true, onclick: () => move(alias, select.value),
  }, "Move");
  const word = () => (current === undefined ? "Set" : Number(select.value) > Number(current) ? "Promote" : "Roll back");
  const dress = () => {
    button.disabled = select.value === current;
    button.textContent = button.disabled ? "In place" : word();
    button.classList.toggle("quiet", button.disabled);
    button.setAttribute("aria-label", button.disabled ? `${alias} is in place`
      : `${word()} ${alias} to version ${select.value}`);
  };
  select.addEventListener("change", dress);
  dress();
  return make("li", { class: "row" }, make("label", { for: select.id }, alias), select, button);
}

function newAlias(name, versions, move) {
  const input = make("input", { id: "new-alias", pattern: "[a-z][a-z0-9_\\-]{0,63}", required: true, autocomplete: "off", spellcheck: "false" });
  const form = make("form", {
    class: "row", onsubmit: (event) => {
      event.preventDefault();
      move(input.value.trim(), versions.at(-1));
    },
  }, make("label", { for: input.id }, "Another alias"), input,
  make("button", { class: "quiet small" }, `Point it to version ${versions.at(-1)}`));
  return make("details", {}, make("summary", {}, "Another alias"), form);
}
