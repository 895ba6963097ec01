// The calls that make what is shown, for a shell and for Python.

import { hasKey } from "./key.js";

const address = (path) => new URL(path, document.baseURI).href;

/** `photos` are {name, sample?: path}; `query` the options of the request. */
export function curlCall(photos, query) {
  const lines = photos.filter(({ sample }) => sample)
    .map(({ sample }) => `curl -sSO ${quoted(address(sample))}`);
  const parts = photos.map(({ name }) => `-F ${quoted(`image=@${formName(name)}`)}`);
  const key = hasKey() ? ["-H \"Authorization: Bearer $SENTISCOPE_KEY\""] : [];
  const url = `${address("v1/predictions")}?${new URLSearchParams(query)}`;
  return [...lines, ["curl -sS", ...key, ...parts, quoted(url)].join(" \\\n  ")].join("\n");
}

export function pythonCall(photos, query) {
  const names = JSON.stringify(photos.map(({ name }) => name)).replaceAll('","', '", "');
  const key = hasKey();
  return [
    ...(key ? ["import os", ""] : []),
    "import httpx", "",
    `photos = ${names}`,
    "answer = httpx.post(",
    `    ${JSON.stringify(address("v1/predictions"))},`,
    `    params=${JSON.stringify(query).replaceAll('":"', '": "').replaceAll('","', '", "')},`,
    "    files=[(\"image\", open(photo, \"rb\")) for photo in photos],",
    ...(key ? ["    headers={\"Authorization\": f\"Bearer {os.environ['SENTISCOPE_KEY']}\"},"] : []),
    "    timeout=60,",
    ")",
    "answer.raise_for_status()",
    "print(answer.text)",
  ].join("\n");
}

export function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A file's name within curl's -F, where some characters mean something. */
function formName(name) {
  return /[;,"\\]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name;
}
