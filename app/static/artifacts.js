// The files that a job made: links, and those that are pictures as pictures.

import { keepingFocus, make } from "./element.js";
import { hasKey } from "./key.js";
import { size } from "./numbers.js";
import { ask, read } from "./service.js";

export class Artifacts {
  constructor(id) {
    this.path = `v1/jobs/${id}/artifacts`;
    this.list = make("ul", { class: "files" });
    this.pictures = make("div", { class: "pictures" });
    this.gallery = make("section", { class: "panel", hidden: true }, make("h2", {}, "Pictures"), this.pictures);
    this.files = make("section", { class: "panel", hidden: true }, make("h2", {}, "Files"), this.list);
    this.shown = {};
  }

  async refresh() {
    const { items } = await read(this.path);
    const pictures = items.filter(({ media_type: type }) => type.startsWith("image/"));
    const [files, seen] = [items, pictures].map((each) => JSON.stringify(each));
    this.files.hidden = items.length === 0;
    this.gallery.hidden = pictures.length === 0;
    if (files !== this.shown.files) {
      keepingFocus(this.list, () => this.list.replaceChildren(...items.map((file) => make("li", {},
        this.#link(file), make("span", { class: "note" }, size(file.bytes))))));
    }
    this.shown.files = files;
    if (seen !== this.shown.pictures) {
      this.pictures.replaceChildren(...await Promise.all(pictures.map((file) => this.#picture(file))));
    }
    this.shown.pictures = seen;
  }

  #address({ path }) {
    return `${this.path}/${path.split("/").map(encodeURIComponent).join("/")}`;
  }

  /** A browser sends no key with a link: with one, the file is fetched and then saved. */
  #link(file) {
    const name = file.path.split("/").at(-1);
    return make("a", {
      href: this.#address(file), download: name,
      onclick: async (event) => {
        if (!hasKey()) return;
        event.preventDefault();
        const href = await this.#fetched(file);
        make("a", { href, download: name }).click();
        setTimeout(() => URL.revokeObjectURL(href), 60_000);
      },
    }, file.path);
  }

  async #picture(file) {
    const src = await this.#fetched(file);
    return make("figure", {}, make("img", { src, alt: file.path, onload: () => URL.revokeObjectURL(src) }),
      make("figcaption", { class: "note" }, file.path));
  }

  async #fetched(file) {
    return URL.createObjectURL(await (await ask(this.#address(file))).blob());
  }
}
