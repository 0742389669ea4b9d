"use strict";
// Follows a run: asks how far it is, and shows its report.
(() => {
  const byId = (id) => document.getElementById(id);
  const EVERY = 2000;
  let etag = "", shown = "", latest = "";

  function cell(row, tag, text) {
    row.appendChild(document.createElement(tag)).textContent = text;
  }

  function draw(run) {
    const table = byId("table");
    table.replaceChildren();
    const head = table.appendChild(document.createElement("tr"));
    for (const text of ["agent", ...run.envs]) cell(head, "th", text);
    let done = 0;
    for (const agent of run.agents) {
      const row = table.appendChild(document.createElement("tr"));
      cell(row, "td", agent.name + (agent.damaged ? " (" + agent.damaged + " damaged lines)" : ""));
      run.envs.forEach((env, i) => {
        done += agent.done[i] + agent.failed[i];
        cell(row, "td", agent.done[i] + "/" + run.totals[i] + (agent.failed[i] ? ", " + agent.failed[i] + " failed" : ""));
      });
    }
    const all = run.totals.reduce((a, b) => a + b, 0) * run.agents.length;
    const finished = run.agents.every((agent) => agent.finished);
    byId("summary").textContent = done.toLocaleString("en") + " of " + (run.ends_itself ? "at most " : "") +
      all.toLocaleString("en") + " episodes are played" + (finished ? ": all." : ".");
    if (finished && !shown) byId("progress").open = false;
    latest = run.report;
    if (!shown) load();
    byId("fresh").hidden = shown === latest;
  }

  function load() {
    shown = latest;
    byId("report").src = "/report.html?" + shown;
    byId("fresh").hidden = true;
  }

  async function ask() {
    try {
      const answer = await fetch("/progress.json", { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
      if (answer.status === 200) {
        etag = answer.headers.get("ETag") || "";
        draw(await answer.json());
      }
      document.documentElement.dataset.ready = "true";
    } catch (error) {
      byId("summary").textContent = "acgym view is no longer running (" + error.message + ")";
    }
    setTimeout(ask, EVERY);
  }

  byId("load").addEventListener("click", load);
  ask();
})();
