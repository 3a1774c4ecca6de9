// The report's own script: the theme switch, the charts in the theme's colours, the replays.
"use strict";

(() => {
  const root = document.documentElement;
  const read = (id) => {
    const element = document.getElementById(id);
    return element ? JSON.parse(element.textContent) : null;
  };
  const THEMES = ["auto", "light", "dark"];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remember = { // a page from disk may be denied a store
    get theme() { try { return localStorage.getItem("sparring-theme"); } catch { return null; } },
    set theme(name) { try { localStorage.setItem("sparring-theme", name); } catch { /* not kept */ } },
  };

  function setTheme(name) {
    if (name === "auto") delete root.dataset.theme;
    else root.dataset.theme = name;
    const button = document.getElementById("theme");
    button.textContent = { auto: "◐ theme: system", light: "☀ theme: light", dark: "☾ theme: dark" }[name];
    button.dataset.now = name;
  }

  /** The colour that a name of style.css stands for in the theme that is on. */
  function colour(name) {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function painted(value, known) {
    if (Array.isArray(value)) return value.map((each) => painted(each, known));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, each]) =>
        [name, name === "values" ? each : painted(each, known)]));
    }
    if (typeof value !== "string" || !value.startsWith("var:")) return value;
    return (known[value] ??= colour(value.slice(4)));
  }

  async function drawCharts() {
    const specs = read("figures") || {};
    const config = read("config");
    const known = {};
    root.dataset.ready = "no";
    for (const place of document.querySelectorAll(".chart[data-figure]")) {
      const spec = painted({ ...specs[place.dataset.figure], config }, known);
      const most = Math.max(70, Math.min(220, place.clientWidth * 0.47));
      spec.config.axis.labelLimit = most;
      if (place.clientWidth < 560) spec.config.axisTop.labelAngle = -90;
      spec.config.legend.labelLimit = Math.max(120, place.clientWidth - 80);
      try {
        await vegaEmbed(place, spec, {
          renderer: "svg", ast: true, mode: "vega-lite", tooltip: { theme: "ours" },
          actions: { export: true, source: false, compiled: false, editor: false },
          downloadFileName: place.dataset.figure,
        });
      } catch (fault) {
        place.textContent = "This chart could not be drawn.";
        console.error(fault);
      }
    }
    root.dataset.ready = "yes";
  }

  let turn = Promise.resolve(); // one drawing after the other
  const redraw = () => { turn = turn.then(drawCharts); };

  setTheme(THEMES.includes(remember.theme) ? remember.theme : "auto");
  document.getElementById("theme").addEventListener("click", (event) => {
    const next = THEMES[(THEMES.indexOf(event.currentTarget.dataset.now) + 1) % THEMES.length];
    setTheme(next);
    remember.theme = next;
    redraw();
  });
  dark.addEventListener("change", redraw);
  for (const place of document.querySelectorAll("[data-replays]")) {
    Replays.viewer(place, read(place.dataset.replays));
  }
  redraw();
})();
