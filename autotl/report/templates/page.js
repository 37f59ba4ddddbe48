// The script of a report: draws the charts, sorts and filters the leaderboard, copies commands.
// Text reaches the page through textContent only.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);

  // Charts ---------------------------------------------------------------------------------------------------------

  const refuse = () => Promise.reject(new Error("a report loads nothing"));
  const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };

  const tooltip = byId("tooltip");
  const showTooltip = (_handler, event, _item, value) => {
    tooltip.hidden = !value;
    if (!value) return;
    const lines = Object.entries(value).map(([name, text]) => {
      const line = document.createElement("div");
      const key = document.createElement("span");
      key.textContent = name;
      const what = document.createElement("b");
      what.textContent = String(text);
      line.append(key, what);
      return line;
    });
    tooltip.replaceChildren(...lines);
    const beside = Math.min(event.clientX + 14, document.documentElement.clientWidth - tooltip.offsetWidth - 8);
    const below = event.clientY + 16;
    const fits = below + tooltip.offsetHeight < window.innerHeight;
    tooltip.style.left = `${Math.max(8, beside)}px`;
    tooltip.style.top = `${fits ? below : event.clientY - tooltip.offsetHeight - 12}px`;
  };

  const draw = async (place, spec, config) => {
    const compiled = vegaLite.compile(spec, { config }).spec;
    const runtime = vega.parse(compiled, null, { ast: true });
    const view = new vega.View(runtime, {
      container: place,
      expr: expressionInterpreter,
      hover: true,
      loader,
      logLevel: vega.Warn,
      renderer: "svg",
    });
    view.tooltip(showTooltip);
    await view.runAsync();
    place.dataset.drawn = "yes";
  };

  // What is looked at is drawn first, the other charts one by one when the browser has nothing better to do.
  const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(work, 30));

  const drawAll = () => {
    const { config, charts, rows } = JSON.parse(byId("drawings").textContent);
    config.font = getComputedStyle(document.body).fontFamily;
    const waiting = new Set(document.querySelectorAll("[data-chart]"));

    const take = async (place) => {
      if (!waiting.delete(place)) return;
      const chart = charts[place.dataset.chart];
      try {
        await draw(place, { ...chart.spec, datasets: { ...chart.spec.datasets, rows: rows[chart.rows] } }, config);
      } catch (error) {
        console.error(`chart ${place.dataset.chart}:`, error);
        place.textContent = "This chart could not be drawn; its table holds the figures.";
        place.parentElement.querySelector("details")?.setAttribute("open", "");
      }
      place.style.minHeight = "";
    };

    const takeNext = async () => {
      const [next] = waiting;
      if (!next) {
        document.documentElement.dataset.charts = "done";
        return;
      }
      await take(next);
      whenIdle(takeNext);
    };

    const coming = new IntersectionObserver((sightings) => {
      for (const { isIntersecting, target } of sightings) if (isIntersecting) take(target);
    }, { rootMargin: "300px" });
    for (const place of waiting) {
      place.style.minHeight = `${charts[place.dataset.chart].spec.height}px`; // so that nothing jumps when it is drawn
      coming.observe(place);
    }
    whenIdle(takeNext);
  };

  // Leaderboard ----------------------------------------------------------------------------------------------------

  const board = byId("board");
  const rows = [...board.tBodies[0].rows];
  const headers = [...board.tHead.rows[0].cells];
  const chips = [...document.querySelectorAll(".chip")];
  const state = { key: "rank", direction: 1, show: "all", words: "", folded: rows.length > 15 };
  const smallerFirst = new Set(["rank", "trial", "model", "size", "latency", "time"]);

  const compare = (column, direction) => (left, right) => {
    const a = left.cells[column].dataset.sort;
    const b = right.cells[column].dataset.sort;
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined); // last, in both directions
    const difference = Number(a) - Number(b);
    return direction * (Number.isNaN(difference) ? a.localeCompare(b) : difference);
  };

  const arrange = () => {
    const column = headers.findIndex((header) => header.dataset.key === state.key);
    board.tBodies[0].append(...[...rows].sort(compare(column, state.direction)));
    for (const header of headers) {
      if (header.dataset.key === state.key) {
        header.setAttribute("aria-sort", state.direction > 0 ? "ascending" : "descending");
      } else {
        header.removeAttribute("aria-sort");
      }
    }
    let shown = 0;
    for (const row of rows) {
      const kind = state.show === "all" || row.dataset.status === state.show;
      const marked = (state.show === "baseline" && row.dataset.baseline === "yes")
        || (state.show === "tied" && row.classList.contains("tied"));
      const said = row.textContent.toLowerCase();
      row.hidden = !((kind || marked) && state.words.split(/\s+/).every((word) => said.includes(word)));
      shown += row.hidden ? 0 : 1;
    }
    const folded = state.folded && shown === rows.length; // whoever filters wants to see what is found
    board.classList.toggle("folded", folded);
    byId("unfold").hidden = !folded;
    const header = headers[column].textContent.trim();
    byId("shown").textContent = `${shown} of ${rows.length}, by ${header}${state.direction > 0 ? " ↑" : " ↓"}`;
    byId("nothing-found").hidden = shown > 0;
  };

  const sortBy = (key, direction) => {
    state.key = key;
    state.direction = direction;
    arrange();
  };

  for (const header of headers) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const key = header.dataset.key;
      const first = smallerFirst.has(key) ? 1 : -1;
      sortBy(key, state.key === key ? -state.direction : first);
    });
  }
  byId("sort").addEventListener("change", ({ target }) => sortBy(target.value, smallerFirst.has(target.value) ? 1 : -1));
  byId("find").addEventListener("input", ({ target }) => {
    state.words = target.value.toLowerCase().trim();
    arrange();
  });
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      state.show = chip.dataset.show;
      for (const other of chips) other.setAttribute("aria-pressed", String(other === chip));
      arrange();
    });
  }
  byId("unfold").addEventListener("click", () => {
    state.folded = false;
    arrange();
  });
  document.querySelector(".controls").hidden = false;
  arrange();

  // Thresholds: the slider only picks a line of the table, which holds every figure ----------------------------------

  for (const slider of document.querySelectorAll(".slider")) {
    const input = slider.querySelector("input");
    const lines = [...slider.closest(".prices").querySelectorAll("tr[data-advice]")];
    const pick = () => {
      lines.forEach((line, place) => line.toggleAttribute("aria-current", place === Number(input.value)));
      const line = lines[Number(input.value)];
      slider.querySelector("output").textContent = line.dataset.advice;
      input.setAttribute("aria-valuetext", `${line.dataset.ratio} false alarms`);
    };
    input.addEventListener("input", pick);
    slider.hidden = false;
    pick();
  }

  // Commands -------------------------------------------------------------------------------------------------------

  for (const button of document.querySelectorAll(".copy")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
  }

  if (document.readyState === "complete") drawAll();
  else window.addEventListener("load", () => setTimeout(drawAll));
})();
