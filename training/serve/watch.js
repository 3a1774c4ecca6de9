// A game of agents, watched: everything may be seen, from any seat, at any speed.
import { announce, ask, h, show } from "./dom.js";
import { again, heading, place } from "./parts.js";

const SPEEDS = [[0, "at once"], [0.5, "fast"], [1, "a move a second"], [3, "slowly"]];

/** Builds the page; returns what draws its news. */
export function watching(facts, known) {
  const stage = h("div", { class: "stage" });
  const status = h("p", { class: "status", role: "status" });
  const fault = h("p", { class: "fault", role: "alert" });
  const set = (sent) => ask(`/api/games/${facts.id}/pace`, sent).catch((error) => { fault.textContent = error.message; });
  const go = h("button", { type: "button", onclick: () => set({ running: go.dataset.running !== "true" }) });
  const step = h("button", { type: "button", onclick: () => set({ step: true }) }, "Step");
  const speed = h("select", { "aria-label": "speed", onchange: () => set({ delay: Number(speed.value) }) },
    SPEEDS.map(([delay, name]) => h("option", { value: delay }, name)));
  const who = h("select", { "aria-label": "whose view", onchange: () => draw() }, h("option", { value: "" }, "everyone sees"),
    facts.roles.map((role) => h("option", { value: role }, `${role} (${facts.seats[role]}) sees`)));
  const thoughts = h("input", { type: "checkbox", onchange: () => draw() });
  const toggle = h("label", { hidden: true }, thoughts, "private thoughts");
  const bar = h("div", { class: "replay-bar", role: "group", "aria-label": "how to watch" }, go, step, speed, who, toggle);
  const another = h("button", { type: "button", class: "primary", onclick: () => again(facts, fault) }, "Watch another");
  const actions = h("div", { class: "actions", hidden: true }, another, h("a", { class: "button", href: "/" }, "Other games"));
  const section = h("section", { class: "table" }, ...heading(facts), h("div", { class: "card" }, bar, stage, status, fault, actions));
  show(facts.game, section);
  let now = null;
  let told = 0;

  function draw() {
    if (!now) return;
    const seen = Object.fromEntries(facts.roles.map((role) => [role, known.views[role].length]));
    const steps = [...known.steps, { seen, answers: [] }];
    place(stage, Replays.thread({ views: known.views, steps, seats: facts.seats }, { who: who.value, at: steps.length - 1, thoughts: thoughts.checked }));
  }

  return (news) => {
    now = news;
    for (const { answers } of known.steps.slice(told)) for (const answer of answers) announce(`${answer.role}: ${answer.text}`);
    if (known.steps.slice(told).some(({ answers }) => answers.some((answer) => answer.private))) toggle.hidden = false;
    told = known.steps.length;
    go.dataset.running = String(news.pace.running);
    go.textContent = news.pace.running ? "Pause" : "Go on";
    if (document.activeElement !== speed) speed.value = String(news.pace.delay);
    status.replaceChildren(...(news.pace.running ? [h("span", { class: "thinking" }, `${news.asked.join(", ")} to answer`, h("i", { "aria-hidden": "true" }, "…"))]
      : [`Paused before ${news.asked.join(", ")}`]));
    draw();
    if (news.end) finish(news.end);
  };

  async function finish(end) {
    bar.hidden = true;
    actions.hidden = false;
    status.replaceChildren(end.fault ? `The game stopped: ${end.fault}` : "The game is over.");
    if (!end.replay) return;
    const whole = await ask(`/api/replays/${end.replay}`);
    const alone = h("div", { class: "alone" });
    section.lastChild.replaceWith(h("div", {}, alone, fault, actions));
    Replays.viewer(alone, [whole]).show(0, whole.steps.length);
  }
}
