// The models that can answer, and what their manifests say.

import { read } from "./service.js";

const manifests = new Map(); // a version never changes

export const models = async () => (await read("v1/models")).items;

export function manifest(name, version) {
  const path = `v1/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`;
  if (!manifests.has(path)) {
    manifests.set(path, read(path).catch((error) => {
      manifests.delete(path);
      throw error;
    }));
  }
  return manifests.get(path);
}

/** Every version as {name, version, aliases, reference}: models by name, the newest first. */
export function versions(items) {
  return items.flatMap(({ name, versions: known, aliases }) => known.toReversed().map((version) => ({
    name, version, reference: `${name}@${version}`,
    aliases: Object.keys(aliases).filter((alias) => aliases[alias] === version),
  })));
}

/** The version that answers where none is named; null while there is none. */
export async function served() {
  try {
    const { model } = await read("health/ready");
    return `${model.name}@${model.version}`;
  } catch {
    return null;
  }
}

export function split(reference) {
  const [name, version] = reference.split("@");
  return { name, version };
}
