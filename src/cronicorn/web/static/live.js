"use strict";
// What a page is better for and does not need: live parts, and distances in time that stay true.
(() => {
  const body = document.body;
  const ahead = Date.parse(body.dataset.now) - Date.now(); // How far the server's clock is before this one.
  const units = [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]];

  const coarse = (seconds) => {
    for (const [unit, one, smaller, part] of units) {
      if (seconds < one) continue;
      const rest = Math.floor((seconds % one) / part);
      return `${Math.floor(seconds / one)} ${unit}` + (rest ? ` ${rest} ${smaller}` : "");
    }
    return `${seconds} s`;
  };

  const tick = () => {
    for (const each of document.querySelectorAll("[data-far]")) {
      const at = Date.parse(each.closest("time").dateTime) - ahead - Date.now();
      const span = coarse(Math.round(Math.abs(at) / 1000));
      const planned = each.dataset.far === "due"; // What has just come is about to run.
      const past = !planned ? `${span} ago` : at > -5000 ? "now" : `${span} late`;
      const told = Math.abs(at) < 500 ? "now" : at > 0 ? `in ${span}` : past;
      if (each.textContent !== told) each.textContent = told;
    }
  };
  tick();
  setInterval(() => document.hidden || tick(), 1000);

  document.addEventListener("keydown", (event) => {
    const find = document.getElementById("find");
    if (!find || event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    find.select();
    find.focus();
  });

  // A second click sends nothing: its answer would stand in for the first one, which may show a key once.
  const unsent = (form) => { delete form.dataset.sent; };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("method") !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(unsent, 5000, form);
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(unsent));

  const about = body.dataset.live;
  const sign = document.getElementById("live");
  if (!about || !sign) return;
  let source = null, begun = 0, busy = false, again = false, over = false;

  const show = (text) => { sign.hidden = !text; sign.textContent = text; };

  const close = () => {
    if (source) source.close();
    source = null;
    show("");
  };

  const end = () => { over = true; close(); };

  const open = () => {
    if (source || over || document.hidden) return;
    source = new EventSource(`/events?of=${encodeURIComponent(about)}`);
    source.addEventListener("begun", () => { show("live"); if (begun++) refresh(); });
    source.addEventListener("changed", refresh);
    source.addEventListener("ended", end);
    source.onerror = () => {
      show("");
      if (!source || source.readyState !== EventSource.CLOSED) return; // Else the browser comes back by itself.
      source = null;
      setTimeout(() => { refresh(); open(); }, 5000);
    };
  };

  // What a person opened or closed stays so; what the server opens for them comes and goes with what it shows.
  const chosen = new Map();
  document.addEventListener("click", (event) => {
    const details = event.target.closest("summary") && event.target.closest("details[data-key]");
    if (details) chosen.set(details.dataset.key, !details.open);
  });

  // A part that a person is typing in is left alone.
  const busyWith = (part) => {
    const active = document.activeElement;
    return part.contains(active) && active.matches("input, select, textarea, button");
  };

  const place = (part) => {
    const active = document.activeElement;
    if (!part.contains(active)) return null;
    if (active.id) return `#${CSS.escape(active.id)}`;
    if (active.matches("a[href]")) return `a[href="${CSS.escape(active.getAttribute("href"))}"]`;
    return active.matches("summary") ? `[data-key="${CSS.escape(active.parentElement.dataset.key || "")}"] > summary` : null;
  };

  const swap = (fresh) => {
    for (const part of document.querySelectorAll("[data-part]")) {
      const next = fresh.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (!next || busyWith(part)) continue;
      for (const each of next.querySelectorAll("details[data-key]")) {
        if (chosen.has(each.dataset.key)) each.open = chosen.get(each.dataset.key);
      }
      const focused = place(part);
      const from = [...part.querySelectorAll(".wide")].map((each) => each.scrollLeft);
      part.replaceWith(document.importNode(next, true));
      const now = document.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      now.querySelectorAll(".wide").forEach((each, index) => { each.scrollLeft = from[index] || 0; });
      const again = focused && now.querySelector(focused);
      if (again) again.focus({ preventScroll: true });
    }
    tick();
  };

  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
      if (answer.status === 401) end();
      if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* The server is away; the stream comes back with it. */ }
    setTimeout(() => { busy = false; if (again) { again = false; refresh(); } }, 3000);
  };

  document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
  addEventListener("pagehide", close);
  open();
})();
