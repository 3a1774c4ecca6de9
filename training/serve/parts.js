// What the page of a person's game and that of a watched one share.
import { ask, h } from "./dom.js";

/** A view as the thread shows it: what the game tells of one player becomes that player's bubble,
    and a board under it stays the game's. Returns the messages and where each old one begins. */
export function spoken(messages, roles) {
  const shown = [];
  const starts = [];
  for (const message of messages) {
    starts.push(shown.length);
    const [line, ...board] = message.text.split("\n");
    const role = message.sender === "game" && roles.find((each) => line.startsWith(`${each}: `));
    const text = role ? line.slice(role.length + 2) : "";
    if (role && !roles.some((each) => text.includes(`${each}: `))) {
      shown.push({ sender: role, text });
      if (board.length) shown.push({ sender: "game", text: board.join("\n") });
    } else shown.push(message);
  }
  starts.push(shown.length);
  return { shown, starts };
}

/** What stands above a game: its name, who sits where, the rules. */
export function heading(facts, ...more) {
  const seats = facts.roles.map((role) => h("li", { class: role === facts.person ? "me" : null },
    h("b", {}, role), h("span", {}, role === facts.person ? "you" : facts.seats[role])));
  const rules = Object.entries(facts.rules);
  const several = new Set(rules.map(([role, text]) => text.replaceAll(role, ""))).size > 1;
  return [h("div", { class: "head" }, h("h1", {}, facts.game), ...more), h("ul", { class: "seats", "aria-label": "seats" }, seats),
    h("details", { class: "the-rules", open: Boolean(facts.person) && facts.fresh }, h("summary", {}, "Rules"), rules.slice(0, several ? rules.length : 1).map(([role, text]) =>
      [several ? h("h3", {}, role) : null, h("p", { class: "words" }, text)]))];
}

/** Puts a thread on the stage and keeps the reader where they were, or at the end. */
export function place(stage, thread) {
  const before = stage.firstChild;
  const at = before ? before.scrollTop : 0;
  const follows = !before || before.scrollHeight - at - before.clientHeight < 40;
  stage.replaceChildren(thread);
  thread.style.scrollBehavior = "auto";
  thread.scrollTop = follows ? thread.scrollHeight : at;
}

/** The same seats, a new deal. */
export async function again(facts, fault) {
  const agents = Object.fromEntries(Object.entries(facts.seats).filter(([role]) => role !== facts.person));
  try {
    const { id } = await ask("/api/games", { game: facts.game, seat: facts.person, agents });
    location.assign(`/game/${id}`);
  } catch (error) {
    fault.textContent = error.message;
  }
}
