// The fields of a configuration that people change most, by kind of job.

import { datasetPaths, runPaths, valueAt } from "./config_path.js";
import { make } from "./element.js";
import { Field, choice, numberInput, textInput } from "./field.js";

const DEVICE = [["compute", "device"], "Device", () => choice(["auto", "cpu", "cuda"])];
const RATE = [["optimizer", "learning_rate"], "Learning rate", numberInput];
const SEED = [["seed"], "Seed", numberInput];
const DOWNSTREAM = [[["epochs"], "Epochs", numberInput], [["batch_size"], "Images a step", numberInput],
  RATE, SEED, DEVICE];
const FIELDS = {
  pipeline: [
    [["stimuli", "epochs"], "Epochs of stimuli", numberInput],
    [["organizing", "epochs"], "Epochs of organizing", numberInput],
    [["perceiving", "epochs"], "Epochs of perceiving", numberInput],
    [["amalgamate", "epochs"], "Epochs of amalgamation", numberInput],
    [["export", "name"], "Name of the model", textInput],
    [["promotion", "alias"], "Alias to promote", textInput],
  ],
  pretrain: [[["epochs"], "Epochs", numberInput], [["steps_per_epoch"], "Steps an epoch", numberInput],
    RATE, SEED, DEVICE],
  amalgamate: DOWNSTREAM,
  finetune: DOWNSTREAM,
  evaluate: [[["split"], "Split", () => choice(["test", "val", "train"])],
    [["batch_size"], "Images at once", numberInput]],
  export: [[["name"], "Name of the model", textInput], [["alias"], "Alias to promote", textInput],
    [["int8"], "Make an INT8 graph too", () => make("input", { type: "checkbox" })]],
};

/** Fields for a job of `kind` that starts from the whole configuration `config`. */
export function fieldsOf(kind, config) {
  const usual = FIELDS[kind].map(([path, label, control]) =>
    new Field(["config", ...path], label, control(), {
      initial: valueAt(config, path), hint: path[0] === "steps_per_epoch" && "Empty: all pictures once",
    }));
  const data = [...datasetPaths(config)].map(([name, paths]) => datasetField(name, paths));
  return kind === "pipeline" ? [...data, ...usual]
    : [...runPaths(config).map((path) => runField(config, path)), ...data, ...usual];
}

/** One for a data set, wherever the configuration names it. */
function datasetField(name, paths) {
  const [path, ...also] = paths.map((each) => ["config", ...each]);
  return new Field(path, `Data set ${name}`, textInput({ list: "known-datasets", spellcheck: "false" }),
    { initial: name, also, hint: "Another one, in all its places" });
}

/** The job that made a run; a shipped configuration names a folder, which REST has no use for. */
function runField(config, path) {
  const owner = typeof path.at(-3) === "number" ? valueAt(config, path.slice(0, -2)) : null;
  const of = owner?.name ? ` of teacher ${owner.name}` : path.length > 1 ? " the weights come from" : "";
  return new Field(["config", ...path], `Job${of}`,
    textInput({ list: "known-jobs", spellcheck: "false", placeholder: "id of a job" }));
}
