/* "/" leads to the search box; on a page without one, to the page that has it. Nothing here is needed. */
(function () {
  "use strict";
  document.addEventListener("keydown", function (event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    var box = document.querySelector("[data-slash]");
    if (box) { box.focus(); box.select(); return; }
    var way = document.querySelector(".crumbs a");
    if (way) location.href = way.href + "#id_q";
  });
  if (location.hash === "#id_q") {
    var box = document.getElementById("id_q");
    if (box) box.focus();
  }
})();
