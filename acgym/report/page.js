"use strict";
// Shows a run's episodes side by side. Everything foreign becomes text nodes, never markup.
(() => {
  const byId = (id) => document.getElementById(id);
  const holder = byId("data");
  if (!holder) return;
  const AT_ONCE = 200;
  const OUTCOMES = { both: "solved by both", lost: "lost", won: "won", neither: "solved by neither", failed: "failed" };
  const FILTERS = [["", "any outcome"], ["lost", "lost"], ["won", "won"], ["format", "format error"],
    ["differ", "another decision"], ["words", "other words, same decisions"], ["same", "the same word for word"],
    ["both", OUTCOMES.both], ["neither", OUTCOMES.neither], ["failed", OUTCOMES.failed]];
  let data, rows, found = [], at = 0, drawn = 0;
  const texts = new Map();

  async function inflate(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function turns(row) {
    // A conversation holds what it does not share with the dense agent's.
    const a = row.a === undefined ? null : data.episodes[row.a].turns;
    if (row.b === undefined) return [a, null];
    const b = data.episodes[row.b];
    return [a, a.slice(0, b.shared).concat(b.turns)];
  }

  function words(row) {
    if (!texts.has(row)) {
      const parts = [data.agents[row.agent], data.envs[row.env], "seed " + row.seed, row.kind,
        data.outcomes[row.outcome], row.class === undefined ? "" : data.classes[row.class]];
      for (const side of turns(row)) for (const turn of side || []) parts.push(turn[1], turn[2], turn[5] || "");
      for (const i of [row.a, row.b]) if (i !== undefined) parts.push(data.episodes[i].end);
      texts.set(row, parts.join("\n").toLowerCase());
    }
    return texts.get(row);
  }

  function passes(row, want) {
    if (want === "format") return Boolean(row.format);
    if (want === "differ") return row.decision !== undefined;
    if (want === "words") return row.turn !== undefined && row.decision === undefined;
    if (want === "same") return row.turn === undefined && row.outcome !== data.outcomes.indexOf("failed");
    return !want || data.outcomes[row.outcome] === want;
  }

  function search() {
    const needles = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [agent, env, outcome, kind] = ["agent", "env", "outcome", "class"].map((id) => byId(id).value);
    found = rows.filter((row) => (agent === "" || row.agent === +agent) && (env === "" || row.env === +env) &&
      passes(row, outcome) && (kind === "" || row.class === +kind) &&
      needles.every((needle) => words(row).includes(needle)));
    byId("count").textContent = found.length.toLocaleString("en") + " of " + rows.length.toLocaleString("en");
    byId("list").replaceChildren();
    drawn = 0;
    more();
    show(0, false);
  }

  function more() {
    const list = byId("list");
    if (drawn) list.lastChild.remove();
    for (const row of found.slice(drawn, drawn + AT_ONCE)) list.append(entry(row, drawn++));
    const item = make("li");
    if (drawn < found.length) {
      const button = item.appendChild(make("button", "", (found.length - drawn).toLocaleString("en") + " more"));
      button.addEventListener("click", more);
    } else if (!found.length) item.append(make("p", "missing", "No episode is like this."));
    list.append(item);
  }

  function entry(row, index) {
    const item = make("li"), button = item.appendChild(make("button"));
    const lost = row.class === undefined ? "" : ", " + data.classes[row.class].replace("_", " ");
    button.append(data.envs[row.env] + " seed " + row.seed);
    button.append(make("small", "", outcome(row) + lost + (row.a === undefined ? " (words not here)" : "")));
    button.append(make("small", "", data.agents[row.agent]));
    button.addEventListener("click", () => show(index, true));
    return item;
  }

  function show(index, move) {
    const shown = byId("shown");
    shown.replaceChildren();
    if (!found.length) return;
    at = Math.max(0, Math.min(index, found.length - 1));
    while (at >= drawn) more();
    const buttons = byId("list").querySelectorAll("button");
    for (const button of byId("list").querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
    buttons[at].setAttribute("aria-current", "true");
    if (move) buttons[at].scrollIntoView({ block: "nearest" });
    draw(found[at], shown);
  }

  function draw(row, shown) {
    const alone = row.agent === 0;
    const title = data.envs[row.env] + " seed " + row.seed + ": " + row.kind;
    shown.append(make("h3", "", title), make("p", "state", said(row)));
    if (row.a === undefined) {
      shown.append(make("p", "missing", "- the words of this episode are not in this page, only in the run's folder"));
      return;
    }
    const sides = turns(row), length = Math.max(...sides.map((side) => (side ? side.length : 0)));
    const names = shown.appendChild(make("div", alone ? "sides one" : "sides"));
    names.append(make("div", "who", data.dense + ending(row.a)));
    if (!alone) names.append(make("div", "who", data.agents[row.agent] + ending(row.b)));
    const tools = data.episodes[row.a].tools;
    if (tools) shown.append(make("p", "state", "tools: " + tools.join(", ")));
    for (let i = 0; i < length; i++) shown.append(turn(i, sides, row, alone));
    shown.append(last(row, alone));
  }

  function outcome(row) {
    const name = data.outcomes[row.outcome];
    if (row.agent === 0 && name !== "failed") return name === "both" ? "solved" : "not solved";
    return OUTCOMES[name];
  }

  function said(row) {
    const parts = [outcome(row)];
    if (row.turn === undefined) parts.push(row.agent === 0 ? "" : "no difference");
    else parts.push("first difference in turn " + (row.turn + 1) +
      (row.token === undefined ? "" : ", token " + (row.token + 1)) + (row.decision === undefined ?
        "; the decisions are the same" : row.decision === row.turn ? "; another decision" :
          "; the first other decision is in turn " + (row.decision + 1)));
    if (row.class !== undefined)
      parts.push(data.classes[row.class].replace("_", " ") + " at turn " + (row.fatal + 1));
    return parts.filter(Boolean).join("; ");
  }

  function ending(i) {
    const episode = data.episodes[i];
    return ": " + (episode.success === null ? "failed" : episode.success ? "solved" : "not solved") +
      (episode.progress === null ? "" : ", progress " + episode.progress.toFixed(2));
  }

  function turn(i, sides, row, alone) {
    const block = make("div", i === row.turn ? "turn first" : "turn"), [a, b] = sides.map((side) => side && side[i]);
    if (i === row.turn) block.append(make("p", "flag", "turn " + (i + 1) + ": here they first differ"));
    else if (i === row.decision) block.append(make("p", "flag", "turn " + (i + 1) + ": the first other decision"));
    else block.append(make("p", "state", "turn " + (i + 1)));
    if (alone || (a && b && a[1] === b[1])) block.append(make("pre", "told", a[1]));
    const both = block.appendChild(make("div", alone ? "sides one" : "sides"));
    both.append(side(a, b, data.dense));
    if (!alone) both.append(side(b, a, data.agents[row.agent]));
    return block;
  }

  function side(turn, other, who) {
    const block = make("div", "side");
    block.dataset.who = who; // shown where the two sides lie one under the other
    if (!turn) {
      block.append(make("p", "state", "the episode is over"));
      return block;
    }
    if (other !== null && !(other && other[1] === turn[1])) block.append(make("pre", "told", turn[1]));
    block.append(marked(turn[2], other ? other[2] : turn[2]));
    const state = ["progress " + turn[3].toFixed(2)];
    if (turn[4]) state.push("format error");
    if (turn[5]) state.push("error: " + turn[5]);
    if (turn[7]) state.push("degenerate: " + turn[7]);
    if (turn[6]) state.push("cut at the token limit");
    block.append(make("p", "state", state.join("; ")));
    return block;
  }

  function marked(text, other) {
    // Marks what lies between the common beginning and the common end.
    const box = make("pre", "said"), most = Math.min(text.length, other.length);
    let from = 0, to = 0;
    while (from < most && text[from] === other[from]) from++;
    while (to < most - from && text[text.length - 1 - to] === other[other.length - 1 - to]) to++;
    box.append(text.slice(0, from));
    if (text !== other) box.append(make("mark", "", text.slice(from, text.length - to)));
    box.append(text.slice(text.length - to));
    return box;
  }

  function last(row, alone) {
    const block = make("div", "turn"), both = block.appendChild(make("div", alone ? "sides one" : "sides"));
    for (const i of alone ? [row.a] : [row.a, row.b]) {
      const side = both.appendChild(make("div", "side")), episode = data.episodes[i];
      side.dataset.who = i === row.a ? data.dense : data.agents[row.agent];
      side.append(make("p", "state", "end"), make("pre", "told", episode.end));
      if (episode.failure) side.append(make("pre", "told", "failure: " + episode.failure));
    }
    return block;
  }

  function options(id, any, values) {
    const select = byId(id);
    for (const [value, text] of [["", any], ...values]) {
      const option = select.appendChild(make("option", "", text));
      option.value = value;
    }
    select.addEventListener("change", search);
  }

  function keys(event) {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape" && typing) return event.target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return undefined;
    if (event.key === "j") show(at + 1, true);
    else if (event.key === "k") show(at - 1, true);
    else if (event.key === "/") byId("search").focus();
    else return undefined;
    return event.preventDefault();
  }

  function start() {
    rows = data.pairs;
    const numbered = (names) => names.map((name, i) => [String(i), name]);
    options("agent", "any agent", numbered(data.agents).slice(data.agents.length > 1 ? 1 : 0));
    options("env", "any environment", numbered(data.envs));
    options("outcome", FILTERS[0][1], FILTERS.slice(1));
    options("class", "lost in any way", numbered(data.classes).map(([i, name]) => [i, name.replace("_", " ")]));
    let wait;
    byId("search").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(search, 120); });
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", keys);
    byId("filters").hidden = byId("browser").hidden = false;
    search();
    document.documentElement.dataset.ready = "true";
  }

  inflate(holder.textContent).then((value) => { data = value; start(); }).catch((error) => {
    byId("told").textContent = "- the episodes of this page cannot be read: " + error.message;
  });
})();
