// Fields of a configuration by their paths, such as ["optimizer", "learning_rate"].

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

export const valueAt = (config, path) => path.reduce((part, name) => part?.[name], config);

/** `changes` with the value at `path`; a list is taken whole from `below` and changed in a copy. */
export function withValue(changes, below, [name, ...rest], value) {
  if (!rest.length) return Array.isArray(changes) ? changes.with(name, value) : { ...changes, [name]: value };
  const under = below?.[name];
  const start = changes[name] ?? (Array.isArray(under) ? structuredClone(under) : {});
  const next = withValue(start, under, rest, value);
  return Array.isArray(changes) ? changes.with(name, next) : { ...changes, [name]: next };
}

/** `above` laid over `below`: mappings are merged, anything else replaces. */
export function merged(below, above) {
  const found = { ...below };
  for (const [name, value] of Object.entries(above)) {
    found[name] = isObject(value) && isObject(found[name]) ? merged(found[name], value) : value;
  }
  return found;
}

/** Where each data set is named: its name, and all paths to it. */
export function datasetPaths(config, path = [], found = new Map()) {
  for (const [name, value] of Object.entries(config ?? {})) {
    const here = [...path, Array.isArray(config) ? Number(name) : name];
    const isNamed = here.at(-2) === "datasets" || (here.at(-3) === "datasets" && name === "name");
    if (isNamed && typeof value === "string") found.set(value, [...(found.get(value) ?? []), here]);
    else if (value !== null && typeof value === "object") datasetPaths(value, here, found);
  }
  return found;
}

/** Paths of the runs that a configuration builds upon. */
export function runPaths(config, path = []) {
  return Object.entries(config ?? {}).flatMap(([name, value]) => {
    const here = [...path, Array.isArray(config) ? Number(name) : name];
    if (name === "run" && (typeof value === "string")) return [here];
    return value !== null && typeof value === "object" ? runPaths(value, here) : [];
  });
}
