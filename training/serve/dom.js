// Elements, requests and words that all pages use. Text from games, agents and people becomes text
// nodes only: nothing here or in the other files writes HTML.

/** An element with attributes and children; strings become text, null is left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

export const main = () => document.getElementById("main");

/** Shows a page: its title, and what is in it. */
export function show(title, ...children) {
  document.title = title ? `${title} · Sparring` : "Sparring";
  document.getElementById("back").hidden = !title;
  main().replaceChildren(...children.flat(Infinity).filter((child) => child != null && child !== false));
}

/** What the server answers; throws an Error with its one line if it refuses. */
export async function ask(path, sent) {
  const how = sent === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(sent),
  };
  let reply;
  try {
    reply = await fetch(path, how);
  } catch {
    throw new Error("the server cannot be reached; is it still running?");
  }
  const found = await reply.json().catch(() => ({ error: `the server failed (${reply.status})` }));
  if (reply.ok) return found;
  throw Object.assign(new Error(found.error || `the server failed (${reply.status})`), { status: reply.status });
}

export const signed = (x) => (x > 0 ? "+" : x < 0 ? "−" : "") + +Math.abs(x).toFixed(4);

/** Tells those who cannot see the page what has just happened. */
export function announce(text) {
  const log = document.getElementById("said");
  log.append(h("p", {}, text));
  while (log.children.length > 20) log.firstChild.remove();
}

export const ready = () => { document.documentElement.dataset.ready = "yes"; };
