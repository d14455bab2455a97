/* Today by the keyboard, and steps that are completed while the network is away. Nothing here is needed. */
(function () {
  "use strict";
  function all(what) {
    return Array.from(document.querySelectorAll("[data-day] " + what)).filter(function (one) { return one.getClientRects().length; });
  }
  function here() { return document.activeElement.closest("[data-line]"); }

  function go(step) {
    var ways = all("[data-way]"), line = here();
    var at = line ? ways.indexOf(line.querySelector("[data-way]")) : -1;
    var next = ways[line ? Math.min(Math.max(at + step, 0), ways.length - 1) : step > 0 ? 0 : ways.length - 1];
    if (next) { next.focus(); next.closest("[data-line]").scrollIntoView({ block: "nearest" }); }
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("textarea, select, [contenteditable], input:not([type=checkbox])")) {
      if (event.key === "Escape" && here()) here().querySelector("[data-way]").focus();
      return;
    }
    var line = here(), found = null;
    if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "x" && line) { found = line.querySelector("[type=checkbox]"); if (found) found.checked = !found.checked; }
    else if (event.key === "d" && line) { found = line.querySelector("[data-done]"); if (found) found.click(); }
    else if (event.key === "e" && line) { found = line.querySelector(".does input"); if (found) found.focus(); }
    else if (event.key === "u") { found = document.querySelector("[data-undo]"); if (found) found.click(); }
    else return;
    event.preventDefault();
  });

  // Enter in a line's evidence completes that line, not the first of the page
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || !event.target.matches(".does input")) return;
    event.preventDefault();
    event.target.closest("[data-line]").querySelector("[data-done]").click();
  });

  // On paper nothing is folded.
  window.addEventListener("beforeprint", function () { folds().forEach(function (one) { one.open = true; }); });

  // After a part of the page was drawn anew, one is where one was.
  var place = -1, opened = [];
  function folds() { return Array.from(document.querySelectorAll("[data-folded]")); }
  document.addEventListener("htmx:beforeRequest", function () {
    var line = here();
    opened = folds().filter(function (one) { return one.open; }).map(function (one) { return one.dataset.folded; });
    place = line ? all("[data-line]").indexOf(line) : -1;
  });
  document.addEventListener("htmx:afterSettle", function () {
    folds().forEach(function (one) { one.open = one.open || opened.indexOf(one.dataset.folded) >= 0; });
    var ways = all("[data-line]");
    if (place >= 0 && ways.length) ways[Math.min(place, ways.length - 1)].querySelector("[data-way]").focus();
  });

  // The network has gone: the step is kept, sealed, and sent later; without a key here, the line says that it failed.
  document.addEventListener("htmx:sendError", function (event) {
    var asked = event.detail.requestConfig, form = event.target.closest("[data-acts]");
    var one = asked && asked.formData && asked.formData.get("one");
    if (!form || !one || !window.parvisDesk) return;
    var line = form.querySelector("[data-done][value='" + one + "']").closest("[data-line]");
    var box = line.querySelector("[type=checkbox]");
    var data = { step: one, version: Number(box.dataset.version), home: Number(box.dataset.home),
                 label: line.querySelector(".what").textContent.replace(/\s+/g, " ").trim(),
                 evidence: line.querySelector(".does input").value };
    window.parvisDesk.add("complete", data).then(function (id) {
      if (id) line.classList.add("is-kept");
    });
  });
})();
