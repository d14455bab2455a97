/* What every page may do when it can: nothing here is needed to read, search, send or sign in. */
(function () {
  "use strict";
  var root = document.documentElement;

  function each(scope, selector, act) {
    Array.prototype.forEach.call((scope.querySelectorAll ? scope : document).querySelectorAll(selector), act);
  }

  // Things that need JavaScript stay hidden until it is there.
  function wake(scope) {
    each(scope, "[data-js], [data-scheme-choice]", function (el) { el.hidden = false; });
    each(scope, "[data-nojs]", function (el) { el.hidden = true; });
    if (!navigator.share) each(scope, "[data-share]", function (el) { el.hidden = true; });
  }

  function said(el, text) {
    var place = document.getElementById(el.getAttribute("data-said-in"));
    if (place) place.textContent = text;
  }

  document.addEventListener("click", function (event) {
    var el = event.target.closest("[data-opens], [data-print], [data-copy], [data-share], [data-scheme-choice] button");
    if (!el) return;
    if (el.matches("[data-opens]")) {
      var dialog = document.getElementById(el.getAttribute("data-opens"));
      if (dialog && dialog.showModal) { event.preventDefault(); dialog.showModal(); }
    } else if (el.matches("[data-print]")) {
      window.print();
    } else if (el.matches("[data-copy]")) {
      navigator.clipboard.writeText(el.getAttribute("data-copy")).then(function () { said(el, el.getAttribute("data-done")); });
    } else if (el.matches("[data-share]")) {
      navigator.share({ title: document.title, url: el.getAttribute("data-share") }).catch(function () {});
    } else {
      var dark = root.dataset.scheme ? root.dataset.scheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.scheme = dark ? "light" : "dark";
      document.cookie = "scheme=" + root.dataset.scheme + ";path=/;max-age=31536000;samesite=lax";
    }
  });

  // A click on the dimmed page closes the dialog.
  document.addEventListener("click", function (event) {
    if (event.target.nodeName === "DIALOG") event.target.close();
  });

  function start() {
    wake(document);
    var wrong = document.querySelector("[data-focus]");
    if (wrong) wrong.focus();
  }
  document.addEventListener("htmx:load", function (event) { wake(event.target); });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
