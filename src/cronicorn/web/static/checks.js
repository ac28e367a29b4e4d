"use strict";
// A form that checks what is typed: the server looks at it as it would when it is sent, and nothing is stored.
(() => {
  const form = document.querySelector("form[data-checks]");
  if (!form) return;
  const touched = new Set();
  let timer = 0, asked = 0;

  const tell = (fresh) => {
    for (const name of touched) {
      const told = document.getElementById(`${name}-fault`), next = fresh.getElementById(`${name}-fault`);
      if (!told || !next) continue;
      told.textContent = next.textContent;
      told.hidden = next.hidden;
      const field = document.getElementById(name);
      if (field) field.toggleAttribute("aria-invalid", !next.hidden);
      if (field && !next.hidden) field.setAttribute("aria-invalid", "true");
    }
    for (const part of document.querySelectorAll("[data-checked]")) {
      const next = fresh.querySelector(`[data-checked="${CSS.escape(part.dataset.checked)}"]`);
      if (next) part.replaceWith(document.importNode(next, true));
    }
  };

  const check = async () => {
    const number = ++asked, sent = new URLSearchParams(new FormData(form));
    sent.set("do", "check");
    try {
      const answer = await fetch(form.action, { method: "POST", body: sent, headers: { "X-Live": "1" }, credentials: "same-origin" });
      if (answer.ok && number === asked) tell(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* The server is away; sending the form tells. */ }
  };

  // A fault leads to its line.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    const lines = field.value.split("\n"), from = lines.slice(0, link.dataset.line - 1).join("\n").length;
    const start = link.dataset.line > 1 ? from + 1 : 0;
    field.focus();
    field.setSelectionRange(start, start + (lines[link.dataset.line - 1] || "").length);
    field.scrollTop = field.scrollHeight * (link.dataset.line - 4) / lines.length;
  });

  form.addEventListener("input", (event) => {
    touched.add(event.target.name);
    clearTimeout(timer);
    timer = setTimeout(check, 500);
  });
})();
