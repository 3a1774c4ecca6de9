// A person's game. The server sends this page what the person's seat may know, and nothing else.
import { announce, ask, h, main, show, signed } from "./dom.js";
import { again, heading, place, spoken } from "./parts.js";

const MANY = 24; // legal answers; more of them are searched by typing

/** Builds the page; returns what draws its news. */
export function playing(facts, known) {
  const me = facts.person;
  const others = facts.roles.filter((role) => role !== me);
  const stage = h("div", { class: "stage" });
  const status = h("p", { class: "status", role: "status" });
  const fault = h("p", { class: "fault", role: "alert" });
  const answers = h("div", { class: "answers" });
  const leave = h("button", { type: "button", class: "quiet", onclick: () => {
    if (confirm("Give this game up? It is not kept.")) ask(`/api/games/${facts.id}/leave`, {}).catch((error) => { fault.textContent = error.message; });
  } }, "Give up");
  show(facts.game, h("section", { class: "table" }, ...heading(facts, leave), stage,
    h("div", { class: "dock" }, status, fault, answers)));
  const rules = main().querySelector(".the-rules");
  let read = !facts.fresh; // the rules, which are open at first
  let told = 0;
  let turn = null; // the question that the form is for
  let heard = false;

  function thread(news) {
    const all = known.views[me];
    const skip = all.length && all[0].text === facts.rules[me] ? 1 : 0; // they stand above
    const { shown, starts } = spoken(all, facts.roles);
    const seen = (at) => ({ [me]: Math.max(starts[at] - skip, 0) });
    const views = { ...Object.fromEntries(facts.roles.map((role) => [role, []])), [me]: shown.slice(skip) };
    const steps = news.refused.map(({ at, text }) => ({ seen: seen(at), answers: [{ role: me, text, accepted: false }] }));
    steps.push({ seen: seen(all.length), answers: [] });
    if (heard) for (const message of shown.slice(told)) announce(`${message.sender === me ? "you" : message.sender}: ${message.text}`);
    heard = true;
    told = shown.length;
    place(stage, Replays.thread({ views, steps, seats: facts.seats }, { who: me, at: steps.length - 1 }));
  }

  return (news) => {
    thread(news);
    leave.hidden = Boolean(news.end);
    if (news.end) {
      turn = null;
      status.replaceChildren();
      answers.replaceChildren(ending(facts, news.end, fault));
      return answers.scrollIntoView({ block: "nearest" });
    }
    status.replaceChildren(...state(news));
    if (!news.ask) {
      turn = null;
      return answers.replaceChildren();
    }
    if (news.ask.turn === turn) return undefined; // do not take away what is being typed
    if (!read && news.ask.turn > 0) {
      read = true;
      rules.open = false;
    }
    turn = news.ask.turn;
    fault.textContent = "";
    answers.replaceChildren(form(facts, news.ask, fault));
    const box = answers.querySelector("input, textarea");
    if (box && matchMedia("(pointer: fine)").matches && !document.querySelector("details:focus-within")) box.focus({ preventScroll: true });
    return undefined;
  };

  function state(news) {
    if (news.ask) {
      const few = news.ask.tries <= 3 ? ` ${news.ask.tries === 1 ? "This is your last try" : `${news.ask.tries} tries left`} at this turn.` : "";
      return [h("b", {}, "Your turn."), few];
    }
    const whom = others.length === 1 ? facts.seats[others[0]] : "The others";
    const thinking = h("span", { class: "thinking" }, `${whom} ${others.length === 1 ? "is" : "are"} thinking`, h("i", { "aria-hidden": "true" }, "…"));
    return news.said == null ? [thinking] : [`You answered “${news.said}”. `, thinking];
  }
}

/** Buttons for the legal answers, or a box for what may be said freely. */
function form(facts, question, fault) {
  const { legal, more, examples, turn } = question;
  const free = legal === null;
  const many = !free && legal.length + more > MANY;
  const box = free
    ? h("textarea", { rows: 2, maxlength: 4000, "aria-label": "what you say", placeholder: examples.length ? `such as: ${examples[0]}` : "Say something" })
    : h("input", { type: "text", maxlength: 4000, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-label": "your answer",
      placeholder: many ? "search, or type your answer" : "or type your answer" });
  const all = [];
  let sent = false;

  async function send(text) {
    if (sent || !text.trim()) return box.focus();
    sent = true;
    for (const each of all) each.disabled = true;
    fault.textContent = "";
    try {
      await ask(`/api/games/${facts.id}/answer`, { turn, text });
    } catch (error) {
      fault.textContent = `${error.message}.`;
      sent = error.status === 409;
      for (const each of all) each.disabled = sent;
    }
    return undefined;
  }

  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send(box.value);
  });
  const submit = h("button", { type: "submit", class: "primary" }, "Send");
  const buttons = (legal || []).map((text) => h("button", { type: "button", class: "answer", onclick: () => send(text) }, text));
  all.push(submit, ...buttons);
  const none = h("p", { class: "small faint", hidden: true }, "None of the listed answers has that in it.");
  if (many) {
    box.addEventListener("input", () => {
      const wanted = box.value.trim().toLowerCase();
      for (const each of buttons) each.hidden = !each.textContent.toLowerCase().includes(wanted);
      none.hidden = buttons.some((each) => !each.hidden);
    });
  }
  const chips = free && examples.length > 1 ? h("div", { class: "chips", role: "group", "aria-label": "examples" },
    examples.map((text) => h("button", { type: "button", class: "chip", onclick: () => { box.value = text; box.focus(); } }, text))) : null;
  return h("form", { "data-turn": turn, onsubmit: (event) => { event.preventDefault(); send(box.value); } },
    buttons.length ? h("div", { class: many ? "legal many" : "legal", role: "group", "aria-label": "legal answers" }, buttons, none) : null,
    more ? h("p", { class: "small faint" }, `${more} more answers are legal; type them.`) : null,
    chips, h("div", { class: "say" }, box, submit));
}

function ending(facts, end, fault) {
  const own = end.payoffs[facts.person];
  const zero = facts.sum === "zero-sum" || facts.sum === "constant-sum";
  const word = zero && facts.sum === "zero-sum" ? (own > 0 ? "You won" : own < 0 ? "You lost" : "A draw") : "Your payoff";
  const headline = end.fault ? "The game stopped" : end.void != null ? "This game does not count" : word;
  const why = end.fault || end.void || (end.forfeits.length ? `${end.forfeits.join(", ")} forfeited.` : null);
  const paid = end.fault || end.void != null ? null : h("span", { class: own < 0 ? "paid bad" : "paid" }, signed(own));
  const table = paid && h("dl", { class: "payoffs" }, Object.entries(end.payoffs).map(([role, value]) =>
    h("div", { class: role === facts.person ? "me" : null }, h("dt", {}, role === facts.person ? `${role} (you)` : `${role} (${facts.seats[role]})`), h("dd", { class: "number" }, signed(value)))));
  const button = h("button", { type: "button", class: "primary", onclick: () => { button.disabled = true; again(facts, fault).finally(() => { button.disabled = false; }); } }, "Play again");
  return h("div", { class: "end", role: "group", "aria-label": "the end" },
    h("p", { class: "headline" }, headline, paid ? " " : "", paid), why ? h("p", { class: "faint" }, why) : null, table,
    h("div", { class: "actions" }, button,
      end.replay ? h("a", { class: "button", href: `/replay/${end.replay}` }, "See everything") : null,
      h("a", { class: "button", href: "/" }, "Other games")));
}
