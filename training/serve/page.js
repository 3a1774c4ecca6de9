// Which page this is: /, /game/ID or /replay/NAME.
import { ask, h, ready, show } from "./dom.js";
import { game } from "./game.js";
import { home } from "./home.js";

async function replay(name) {
  const found = await ask(`/api/replays/${encodeURIComponent(name)}`);
  const stage = h("div", { class: "alone" });
  show(found.game, h("section", { class: "wide" }, h("h1", {}, found.game),
    h("p", { class: "faint" }, "A finished game, step by step, with everybody's view."), stage));
  Replays.viewer(stage, [found]);
}

const [, kind, name] = location.pathname.split("/").map(decodeURIComponent);
try {
  await ({ game, replay }[kind] || home)(name);
} catch (fault) {
  show("Nothing here", h("section", { class: "empty" }, h("h1", {}, "This page cannot be shown"),
    h("p", {}, `${fault.message}.`), h("p", {}, h("a", { href: "/" }, "To the games"))));
}
ready();
