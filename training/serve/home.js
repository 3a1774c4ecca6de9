// The first page: choose a game and its seats, watch a running game, browse replays.
import { ask, h, show, signed } from "./dom.js";

const FEW = 12; // replays shown before one asks for more
const WATCH = "";

const short = (spec) => spec.replace(/-v\d+(?=$|\()/, "");

export async function home() {
  const [lobby, shelf] = await Promise.all([ask("/api/lobby"), ask("/api/replays")]);
  const setup = h("div", { class: "setup card", "aria-live": "polite" });
  const list = h("div", { class: "games", role: "radiogroup", "aria-label": "games" });
  const pick = (about) => {
    for (const each of list.children) each.setAttribute("aria-checked", String(each.dataset.spec === about.spec));
    return prepare(setup, about);
  };
  const wanted = new URLSearchParams(location.search).get("game");
  const first = [wanted, lobby.first].map((spec) => lobby.games.find((about) => about.spec === spec)).find(Boolean) || lobby.games[0];
  for (const about of lobby.games) {
    list.append(h("button", { type: "button", role: "radio", "data-spec": about.spec, "aria-checked": "false",
      onclick: async () => { await pick(about); reveal(setup); } },
    h("b", {}, short(about.spec)), h("span", {}, about.about)));
  }
  show("",
    h("section", { class: "choose" }, h("h1", {}, "Choose a game"),
      lobby.run ? h("p", { class: "faint" }, "With the agents of ", h("span", { class: "mono" }, lobby.run), ".") : null, h("div", { class: "pair" }, list, setup)),
    lobby.running.length ? running(lobby.running) : null,
    replays(shelf.replays));
  if (first) await pick(first);
}

/** On a narrow page the form is below the list. */
function reveal(setup) {
  if (matchMedia("(max-width: 760px)").matches) setup.scrollIntoView({ behavior: "smooth", block: "start" });
}

function running(games) {
  return h("section", {}, h("h2", {}, "Running now"), h("ul", { class: "rows" }, games.map((one) =>
    h("li", {}, h("a", { href: `/game/${one.id}` }, h("b", {}, short(one.game)), h("span", { class: "faint" }, who(one.seats)))))));
}

const who = (seats) => Object.entries(seats).map(([role, name]) => `${role}: ${name}`).join(", ");

function replays(all) {
  const rows = h("ul", { class: "rows" });
  const filter = h("input", { type: "search", placeholder: "game, agent …", "aria-label": "search the replays", oninput: () => draw(FEW) });
  const more = h("button", { type: "button", onclick: () => draw(Infinity) });
  function draw(count) {
    const words = filter.value.toLowerCase().split(/\s+/);
    const found = all.filter((one) => words.every((word) => `${one.game} ${who(one.seats)}`.toLowerCase().includes(word)));
    rows.replaceChildren(...found.slice(0, count).map(row));
    more.hidden = found.length <= count;
    more.textContent = `all ${found.length} games`;
  }
  draw(FEW);
  return h("section", {}, h("h2", {}, "Finished games"),
    all.length > FEW ? filter : null, rows, more,
    all.length ? null : h("p", { class: "faint" }, "None yet. A game that ends here can be looked at again, step by step, with everybody's view."));
}

function row(one) {
  const paid = one.void != null ? "does not count" : Object.values(one.payoffs || {}).map(signed).join(" / ");
  const step = one.step == null ? "" : ` · step ${one.step}`;
  return h("li", {}, h("a", { href: `/replay/${one.name}` }, h("b", {}, short(one.game)),
    h("span", { class: "faint" }, `${who(one.seats)}${step}`), h("span", { class: "number" }, paid)));
}

/** The form of one game: options, seat, agents, rules. */
async function prepare(setup, about) {
  let facts = { roles: about.roles, rules: {}, agents: [] };
  let chosen = null; // the seat; "" to watch
  const spec = h("input", { value: about.spec, spellcheck: "false", autocomplete: "off", "aria-describedby": "options", onchange: load });
  const seat = h("select", { onchange: () => { chosen = seat.value; draw(); } });
  const agents = h("div", { class: "agents" });
  const rules = h("p", { class: "words" });
  const fault = h("p", { class: "fault", role: "alert" });
  const start = h("button", { type: "submit", class: "primary" });
  const options = Object.entries(about.options);
  setup.replaceChildren(
    h("h2", {}, short(about.spec)), h("p", {}, about.about), h("p", { class: "small faint" }, about.facts),
    h("form", { onsubmit: (event) => { event.preventDefault(); open(); } },
      h("label", {}, "Your seat", seat), agents,
      h("details", { class: "options" }, h("summary", {}, "Options"),
        h("label", {}, "Game with options", spec),
        h("div", { id: "options" }, options.length
          ? [h("p", { class: "small faint" }, `Written as ${about.spec.split("(")[0]}(${options[0][0]}=${options[0][1][0]}).`),
            h("dl", {}, options.map(([name, [value, text]]) => [h("dt", {}, `${name}=${value}`), h("dd", {}, text)]))]
          : h("p", { class: "small faint" }, "This game has no options."))),
      h("details", {}, h("summary", {}, "Rules"), rules),
      fault, h("div", { class: "actions" }, start)));
  const picks = new Map(); // role to its select

  function draw() {
    const others = facts.roles.filter((role) => role !== chosen);
    rules.textContent = facts.rules[chosen || facts.roles[0]] || "";
    start.textContent = chosen === WATCH ? "Watch" : "Play";
    const names = (label) => h("select", { "aria-label": label }, facts.agents.map((name) => h("option", { value: name }, name)));
    const before = new Map([...picks].map(([role, select]) => [role, select.value]));
    picks.clear();
    const each = others.map((role) => {
      const select = names(role);
      if (facts.agents.includes(before.get(role))) select.value = before.get(role);
      picks.set(role, select);
      return h("label", {}, others.length < 2 ? `Who plays ${role}` : role, select);
    });
    if (others.length < 2) return agents.replaceChildren(...each);
    const all = names("all seats");
    all.prepend(h("option", { value: "", disabled: true, hidden: true }, "different agents"));
    const level = () => {
      const values = new Set([...picks.values()].map((select) => select.value));
      all.value = values.size === 1 ? [...values][0] : "";
    };
    all.addEventListener("change", () => { for (const select of picks.values()) select.value = all.value; });
    for (const select of picks.values()) select.addEventListener("change", level);
    level();
    return agents.replaceChildren(
      h("label", {}, chosen === WATCH ? "Who plays" : "Who plays the others", all),
      h("details", {}, h("summary", {}, "Seat by seat"), each));
  }

  async function load() {
    start.disabled = true;
    try {
      facts = await ask(`/api/game?spec=${encodeURIComponent(spec.value)}`);
    } catch (error) {
      fault.textContent = error.message;
      return false;
    }
    fault.textContent = "";
    if (!facts.roles.includes(chosen) && chosen !== WATCH) chosen = facts.roles[0];
    seat.replaceChildren(...facts.roles.map((role) => h("option", { value: role }, role)),
      h("option", { value: WATCH }, "none: watch agents play"));
    seat.value = chosen;
    draw();
    start.disabled = false;
    return true;
  }

  async function open() {
    start.disabled = true;
    try {
      const seats = Object.fromEntries([...picks].map(([role, select]) => [role, select.value]));
      const { id } = await ask("/api/games", { game: spec.value, seat: chosen || null, agents: seats });
      location.assign(`/game/${id}`);
    } catch (error) {
      fault.textContent = error.message;
      start.disabled = false;
    }
  }
  await load();
}
