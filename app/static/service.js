// Requests to the service, and its refusals as errors that a page can show.

import { askForKey, keyHeaders } from "./key.js";

/** What the service said no with; `faults` are {loc, msg}, where several things are wrong. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `The service answered ${status}.`);
    this.status = status;
    this.title = problem.title ?? "Refused";
    this.faults = problem.errors ?? [];
  }
}

/** The response; raises Refused. A service that demands a key gets one from whoever sits here. */
export async function ask(path, { method = "GET", query, body, headers } = {}) {
  const address = query ? `${path}?${new URLSearchParams(query)}` : path;
  for (;;) {
    const response = await reached(address, {
      method, body, headers: { ...headers, ...keyHeaders() }, cache: "no-store",
    });
    if (response.ok) return response;
    const refused = new Refused(response.status, await problemOf(response));
    if (response.status !== 401 || !(await askForKey(refused.message))) throw refused;
  }
}

export const read = async (path, query) => (await ask(path, { query })).json();

export async function send(method, path, content, headers = {}) {
  const body = content === undefined ? undefined : JSON.stringify(content);
  const response = await ask(path, {
    method, body, headers: { "Content-Type": "application/json", ...headers },
  });
  return response.json();
}

async function reached(address, options) {
  try {
    return await fetch(address, options);
  } catch {
    throw new Refused(0, { title: "No answer", detail: "The service does not answer. Is it running?" });
  }
}

async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}
