// The page of one game: a person's, or one of agents that is watched. The server sends what has
// changed; all that is kept here can be asked for again, so a reload loses nothing.
import { ask } from "./dom.js";
import { playing } from "./play.js";
import { watching } from "./watch.js";

export async function game(id) {
  let facts;
  try {
    facts = await ask(`/api/games/${id}`);
  } catch (fault) {
    if (fault.status !== 404) throw fault;
    await ask(`/api/replays/${id}`); // it has ended and left its replay
    return location.replace(`/replay/${id}`);
  }
  const known = { views: Object.fromEntries(facts.roles.map((role) => [role, []])), steps: [] };
  const draw = facts.person ? playing(facts, known) : watching(facts, known);
  return new Promise((drawn) => listen(id, (news) => {
    for (const [role, { from, new: more }] of Object.entries(news.views)) {
      known.views[role].length = from;
      known.views[role].push(...more);
    }
    if (news.steps) {
      known.steps.length = news.from;
      known.steps.push(...news.steps);
    }
    draw(news);
    drawn();
  }));
}

/** Follows the game while the page is looked at; the browser connects again by itself. */
function listen(id, tell) {
  const lost = document.getElementById("lost");
  let source = null;
  let over = false;
  const stop = () => { source?.close(); source = null; };
  function start() {
    if (source || over) return;
    source = new EventSource(`/api/games/${id}/news`);
    source.onopen = () => { lost.hidden = true; };
    source.onmessage = (event) => tell(JSON.parse(event.data));
    source.addEventListener("over", () => { over = true; stop(); });
    source.onerror = () => {
      lost.hidden = false;
      if (source && source.readyState === EventSource.CLOSED) {
        stop();
        setTimeout(look, 2000);
      }
    };
  }
  /** The server refused: is the game still there? */
  const look = () => ask(`/api/games/${id}`).then(start, (fault) => (fault.status === 404 ? location.reload() : setTimeout(look, 2000)));
  // six connections to one server is all that a browser opens: hidden pages give theirs back
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  start();
}
