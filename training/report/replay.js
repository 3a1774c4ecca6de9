// The replay viewer: plain JavaScript, no dependencies, used by the report and by the web page.
//
//   Replays.viewer(element, replays)   list of games, buttons, and the game step by step
//   Replays.thread(replay, options)    a game as bubbles: {who, at, thoughts}
//
// A replay is the object of agents/replay.py. Agents and games are not trusted: whatever they said
// goes into the page as text nodes, never as HTML.
"use strict";

const Replays = (() => {
  const EVERYONE = "";
  const SHOWN = 8; // alternatives listed at an answer

  /** An element with attributes and children; strings become text. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  }

  const roles = (replay) => Object.keys(replay.views);
  const signed = (x) => (x == null ? "?" : (x > 0 ? "+" : x < 0 ? "−" : "") + +Math.abs(x).toFixed(4));
  const percent = (p) => (p > 0 && p < 0.005 ? "< 1 %" : p > 0.995 && p < 1 ? "> 99 %" : `${Math.round(p * 100)} %`);
  const same = (a, b) => a.trim().toLowerCase() === b.trim().toLowerCase();
  const colour = (replay, role) => {
    const at = roles(replay).indexOf(role);
    return at < 0 ? "" : `--role: var(--series-${(at % 7) + 1})`;
  };

  // -- what is shown: items in order ------------------------------------------------------------

  /** What became visible between two moments, one item a message, with the roles that saw it. */
  function merged(replay, from, to) {
    const left = Object.fromEntries(
      roles(replay).map((role) => [role, replay.views[role].slice(from[role] || 0, to[role] || 0)]));
    const key = (message) => message.sender + "\n" + message.text;
    const items = [];
    for (;;) {
      const waiting = roles(replay).filter((role) => left[role].length);
      if (!waiting.length) return items;
      const holders = (k) => waiting.filter((role) => left[role].some((m) => key(m) === k));
      const first = (k) => holders(k).every((role) => key(left[role][0]) === k);
      const next = waiting.find((role) => first(key(left[role][0])));
      const message = left[next || waiting[0]][0];
      const seenBy = next ? holders(key(message)) : [waiting[0]];
      for (const role of seenBy) left[role].shift();
      items.push({ kind: "message", ...message, seenBy });
    }
  }

  /** A message that only repeats an answer is told as that answer; what is more stays. */
  function told(item, waiting) {
    const at = waiting.findIndex((answer) => {
      const [line] = item.text.split("\n");
      return item.sender === answer.role || same(line, `${answer.role}: ${answer.text}`);
    });
    if (at < 0) return { item };
    const [answer] = waiting.splice(at, 1);
    if (item.sender === answer.role) return { answer, item: same(item.text, answer.text) ? null : item };
    const rest = item.text.split("\n").slice(1).join("\n");
    return { answer, item: rest ? { ...item, text: rest } : null };
  }

  /** Everything up to position `at` (answers given) as one role or everyone sees it. */
  function items(replay, who, at) {
    const shown = [];
    const nothing = Object.fromEntries(roles(replay).map((role) => [role, 0]));
    let from = nothing;
    let waiting = []; // accepted answers that the game has not told yet
    for (let i = 0; i <= at; i++) {
      const step = replay.steps[i];
      const to = (step || replay.end || { seen: from }).seen;
      const views = who === EVERYONE ? merged(replay, from, to)
        : replay.views[who].slice(from[who] || 0, to[who] || 0)
          .map((message) => ({ kind: "message", ...message, seenBy: null }));
      for (const view of views) {
        const { answer, item } = told(view, waiting);
        if (answer && who !== EVERYONE && answer.role !== who && (!item || item.sender !== answer.role)) {
          shown.push({ kind: "message", sender: answer.role, text: answer.text });
        }
        if (item) shown.push({ ...item, opening: i === 0 });
      }
      from = to;
      if (!step || i === at) break;
      for (const answer of step.answers) {
        if (who === EVERYONE || who === answer.role) shown.push({ kind: "answer", ...answer });
        if (answer.accepted) waiting.push(answer);
      }
    }
    return shown;
  }

  // -- how it looks -----------------------------------------------------------------------------

  /** Short lines below each other are a board, whose columns must stand; else lines may wrap. */
  function words(text) {
    const lines = text.split("\n");
    const board = lines.length > 1 && lines.every((line) => line.length <= 40);
    return make("p", { class: board ? "words board" : "words" }, text || "(nothing)");
  }

  function chances(answer) {
    const all = Object.entries(answer.chances).sort((a, b) => b[1] - a[1]);
    const list = make("ul", { class: "chances", "aria-label": `how likely ${answer.role} held each answer` });
    const chosen = (name) => same(name, answer.text);
    const shown = all.filter(([name], i) => i < SHOWN || chosen(name));
    for (const [name, p] of shown) {
      const fill = make("i");
      fill.style.width = `${100 * p}%`;
      list.append(make("li", {},
        make("span", { class: chosen(name) ? "name chosen" : "name", title: name },
          name, chosen(name) ? make("span", { class: "hidden-text" }, " (chosen)") : null),
        make("span", { class: "bar", "aria-hidden": "true" }, fill),
        make("span", { class: "number" }, percent(p))));
    }
    const rest = all.length - shown.length;
    if (rest > 0) {
      const mass = 1 - shown.reduce((sum, [, p]) => sum + p, 0);
      list.append(make("li", {}, make("span", { class: "more" }, `${rest} others together ${percent(Math.max(mass, 0))}`)));
    }
    return list;
  }

  function bubble(replay, item, who, thoughts) {
    const role = item.kind === "answer" ? item.role : item.sender;
    const refused = item.kind === "answer" && !item.accepted;
    const known = roles(replay);
    const right = who === EVERYONE ? known.indexOf(role) === 1 && known.length === 2 : role === who;
    const head = make("header", {}, make("b", {}, role));
    const agent = replay.seats && replay.seats[role];
    if (agent && agent !== role) head.append(make("span", {}, agent));
    if (refused) head.append(make("span", { class: "mark bad" }, "refused: not allowed"));
    if (item.tokens) head.append(make("span", {}, `${item.tokens} token${item.tokens > 1 ? "s" : ""}`));
    const box = make("article", { style: colour(replay, role),
      class: `said${right ? " mine" : ""}${refused ? " refused" : ""}` }, head);
    if (item.private && thoughts) {
      box.append(make("div", { class: "private" }, make("b", {}, "private thought: nobody else saw it"), item.private));
    }
    box.append(words(item.text));
    if (item.chances) box.append(chances(item));
    return box;
  }

  /** Where all are looked at, everyone's rules would fill the screen: they are folded in. */
  function rules(replay, item) {
    const [reader] = item.seenBy || [];
    const [first] = reader ? replay.views[reader] : [];
    if (!first || !item.opening || first.text !== item.text) return null;
    const whose = item.seenBy.length === roles(replay).length ? "" : `, as ${item.seenBy.join(", ")} reads them`;
    return make("details", { class: "note rules" }, make("summary", {}, `the rules${whose}`), words(item.text));
  }

  function note(replay, item, many) {
    const folded = rules(replay, item);
    if (folded) return folded;
    const all = !item.seenBy || item.seenBy.length === many;
    const whom = all ? null : make("small", {}, `only ${item.seenBy.join(", ")} saw this`);
    const sender = item.sender === "game" ? null : make("small", {}, item.sender);
    const long = item.opening && item.text.length > 100;
    return make("div", { class: long ? "note rules" : "note" }, sender, words(item.text), whom);
  }

  /** How a game ended, in a few words. */
  function ending(replay) {
    if (replay.void != null) return "does not count";
    if (replay.forfeits && replay.forfeits.length) return `${replay.forfeits.join(", ")} forfeited`;
    return "played to its end";
  }

  function end(replay) {
    const rows = roles(replay).map((role) => make("tr", {},
      make("th", { scope: "row" }, role), make("td", {}, (replay.seats || {})[role] || ""),
      ...(Object.keys(replay.parts || {}).length ? [make("td", {}, replay.parts[role] || "")] : []),
      make("td", { class: "number" }, signed((replay.payoffs || {})[role]))));
    const heads = ["role", "agent", ...(Object.keys(replay.parts || {}).length ? ["part"] : []), "payoff"];
    const measures = Object.entries(replay.outcome || {})
      .map(([name, value]) => `${name} ${value == null ? "?" : +value.toFixed(4)}`).join(", ");
    return make("div", { class: "ending" },
      make("p", {}, make("b", {}, `The end: ${ending(replay)}.`), replay.void ? ` ${replay.void}` : ""),
      make("div", { class: "scroll" }, make("table", {},
        make("thead", {}, make("tr", {}, ...heads.map((h) =>
          make("th", { scope: "col", class: h === "payoff" ? "number" : null }, h)))),
        make("tbody", {}, ...rows))),
      measures ? make("p", { class: "small faint" }, measures) : null);
  }

  /** A game as bubbles. `who`: a role, or "" for everyone; `at`: answers given; `thoughts`: shown? */
  function thread(replay, { who = EVERYONE, at = replay.steps.length, thoughts = false } = {}) {
    const box = make("div", { class: "thread", tabindex: "0", role: "region", "aria-label": "the game" });
    const talking = new Set(roles(replay));
    for (const item of items(replay, who, at)) {
      const spoken = item.kind === "answer" || talking.has(item.sender);
      box.append(spoken ? bubble(replay, item, who, thoughts) : note(replay, item, talking.size));
    }
    if (at >= replay.steps.length && replay.end) box.append(end(replay));
    return box;
  }

  // -- choosing and stepping --------------------------------------------------------------------

  function entry(replay, several) {
    const who = roles(replay).map((role) => `${role}: ${(replay.seats || {})[role] || "?"}`).join(", ");
    const paid = replay.void != null ? "void" : roles(replay).map((r) => signed((replay.payoffs || {})[r])).join(" / ");
    const count = replay.steps.reduce((sum, step) => sum + step.answers.length, 0);
    return [
      several || replay.title ? make("span", { class: "small faint" }, [replay.title, several ? replay.game : ""].filter(Boolean).join(" · ")) : null,
      make("span", {}, who),
      make("span", { class: "small faint" }, `${paid} · ${count} answer${count === 1 ? "" : "s"} · ${ending(replay)}`),
    ];
  }

  /** Puts the viewer into `root`; returns {show(game, position)}. */
  function viewer(root, replays) {
    const state = { game: 0, at: 0, who: EVERYONE, thoughts: false };
    const several = new Set(replays.map((replay) => replay.game)).size > 1;
    const current = () => replays[state.game];
    const last = () => current().steps.length;
    const button = (label, sign, to) => make("button", { type: "button", "aria-label": label, title: label,
      onclick: () => go(to()) }, sign);
    const first = button("to the start", "⇤", () => 0);
    const back = button("one step back", "←", () => state.at - 1);
    const on = button("one step on", "→", () => state.at + 1);
    const final = button("to the end", "⇥", () => last());
    const slider = make("input", { type: "range", min: 0, value: 0, "aria-label": "position in the game",
      oninput: () => go(+slider.value) });
    const view = make("select", { onchange: () => { state.who = view.value; draw(); } });
    const box = make("input", { type: "checkbox", onchange: () => { state.thoughts = box.checked; draw(); } });
    const toggle = make("label", {}, box, "show private thoughts");
    const where = make("span", { class: "small faint", role: "status", "aria-live": "polite" });
    const stage = make("div");
    const list = make("ul", { class: "replay-list", "aria-label": "games" });
    const buttons = replays.map((replay, i) => make("button", { type: "button",
      onclick: () => show(i, replay.steps.length ? 1 : 0) }, ...entry(replay, several).filter(Boolean)));
    list.append(...buttons.map((each) => make("li", {}, each)));

    function go(to) {
      state.at = Math.max(0, Math.min(last(), to));
      draw();
    }

    function show(game, at = 0) {
      state.game = game;
      const named = roles(current());
      const seated = (role) => `${role} (${(current().seats || {})[role] || "?"})`;
      view.replaceChildren(make("option", { value: EVERYONE }, "everyone sees"),
        ...named.map((role) => make("option", { value: role }, `${seated(role)} sees`)));
      if (!named.includes(state.who)) state.who = EVERYONE;
      view.value = state.who;
      const thinks = current().steps.some((step) => step.answers.some((answer) => answer.private));
      toggle.hidden = !thinks;
      buttons.forEach((each, i) => each.setAttribute("aria-current", String(i === game)));
      go(at);
    }

    // aria-disabled keeps the focus, and with it the arrow keys, where it is
    function able(yes, ...which) {
      for (const each of which) each.setAttribute("aria-disabled", String(!yes));
    }

    function draw() {
      const replay = current();
      slider.max = last();
      slider.value = state.at;
      able(state.at > 0, first, back);
      able(state.at < last(), on, final);
      const next = state.at < last() ? replay.steps[state.at].answers.map((a) => a.role).join(", ") : "";
      where.textContent = `step ${state.at} of ${last()}${next ? ` · next: ${next}` : " · the end"}`;
      const drawn = thread(replay, { who: state.who, at: state.at, thoughts: state.thoughts });
      stage.replaceChildren(drawn);
      drawn.scrollTop = drawn.scrollHeight;
    }

    const panel = make("div", { class: "card" },
      make("div", { class: "replay-bar" },
        make("div", { class: "steps", role: "group", "aria-label": "step through the game" }, first, back, on, final),
        slider, make("label", {}, make("span", { class: "hidden-text" }, "what is shown"), view), toggle, where),
      stage);
    root.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      const own = event.target === view || event.target === slider || event.altKey || event.ctrlKey || event.metaKey;
      if (step === undefined || own) return;
      event.preventDefault();
      const focused = event.target.closest(".thread");
      go(state.at + step);
      if (focused) stage.firstChild.focus();
    });
    root.classList.add("replay");
    root.replaceChildren(list, panel);
    show(0, last() ? 1 : 0);
    return { show };
  }

  return { viewer, thread, EVERYONE };
})();
