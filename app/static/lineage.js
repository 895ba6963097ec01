// Where a version comes from, as a graph: data sets and runs, each from what it started from.

const base = (path) => path.split("/").at(-1);

/** {nodes: [{id, kind, title, note}], edges: [[from, to]]} of a manifest's lineage. */
export function lineageOf({ name, version, lineage }) {
  const graph = new Graph();
  for (const { run, config, datasets } of lineage.ancestors ?? []) addRun(graph, run, config, datasets);
  const last = "(training)";
  addRun(graph, last, lineage.config, lineage.datasets);
  graph.add(`model ${name}`, "model", name, `version ${version}`);
  graph.join(runId(last), `model ${name}`);
  return { nodes: [...graph.nodes.values()], edges: graph.edges };
}

class Graph {
  nodes = new Map();
  edges = [];

  add(id, kind, title, note) {
    const known = this.nodes.get(id);
    if (!known || known.isGuess) this.nodes.set(id, { id, kind, title, note });
  }

  /** Runs are known by their folder's name: one built upon a namesake is not built upon itself. */
  join(from, to) {
    if (from !== to && !this.edges.some(([a, b]) => a === from && b === to)) this.edges.push([from, to]);
  }
}

const runId = (name) => `run ${name}`;

function addRun(graph, name, config, datasets) {
  const id = runId(name);
  graph.add(id, "run", config.step ?? config.recipe ?? "training",
    [config.step && config.recipe, config.epochs && epochs(config)].filter(Boolean).join(", "));
  const named = datasets?.length ? datasets.map((each) => each.name) : datasetsIn(config);
  for (const set of new Set(named)) {
    graph.add(`data ${set}`, "data", set, "data set");
    graph.join(`data ${set}`, id);
  }
  for (const { source, run, path } of weightsIn(config)) {
    if (source === "random") continue;
    const from = source === "run" ? runId(base(run)) : `file ${base(path ?? source)}`;
    if (!graph.nodes.has(from)) {
      graph.nodes.set(from, {
        id: from, kind: source === "run" ? "run" : "file", title: base(run ?? path ?? source),
        note: source === "run" ? "run" : "weights", isGuess: true,
      });
    }
    graph.join(from, id);
  }
}

const epochs = (config) => `${config.epochs} ${config.epochs === 1 ? "epoch" : "epochs"}`;

/** Names of the data sets in a configuration, for a run whose record does not tell them. */
function datasetsIn(part) {
  if (part === null || typeof part !== "object") return [];
  return Object.entries(part).flatMap(([name, value]) =>
    name === "datasets" ? value.map((each) => each.name ?? each) : datasetsIn(value));
}

/** All `weights` in a configuration, wherever they stand. */
function weightsIn(part) {
  if (part === null || typeof part !== "object") return [];
  return Object.entries(part).flatMap(([name, value]) =>
    name === "weights" && value?.source ? [value] : weightsIn(value));
}
