// Ways in for pictures: dropped, pasted, picked, or one of the samples.

import { get, make } from "./element.js";

const SAMPLES = [
  ["harbour.jpg", "Harbour at dusk"], ["meadow.jpg", "Summer meadow"], ["storm.jpg", "Thunderstorm"],
  ["balloons.jpg", "Balloons"], ["alley.jpg", "Night alley"], ["shapes.jpg", "Painted shapes"],
];

/** Call `take` with photos {name, file, address, sample?} whenever some are given. */
export function intake(take) {
  const give = (files) => files.length && take([...files].map((file) => photo(file)));
  const drop = get("drop");
  get("file").addEventListener("change", ({ target }) => {
    give(target.files);
    target.value = ""; // the same file may be picked again
  });
  document.addEventListener("paste", ({ clipboardData }) => give(clipboardData.files));
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", name === "dragover");
      if (name === "drop") give(event.dataTransfer.files);
    });
  }
  get("samples").append(...SAMPLES.map(([file, title]) => sampleButton(file, title, take)));
}

function photo(file, sample) {
  return { name: file.name || "pasted.png", file, address: URL.createObjectURL(file), sample };
}

function sampleButton(name, title, take) {
  const path = `static/samples/${name}`;
  return make("li", {}, make("button", {
    type: "button", class: "sample",
    onclick: async () => {
      const content = await (await fetch(path)).blob();
      take([photo(new File([content], name, { type: content.type }), path)]);
    },
  }, make("img", { src: path, alt: "", width: 96, height: 72 }), make("span", {}, title)));
}
