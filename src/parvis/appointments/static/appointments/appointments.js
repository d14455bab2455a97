/* Keys of the calendar: links say theirs in data-key. Nothing here is needed. */
(function () {
  "use strict";
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable], [role=tablist]")) return;
    var key = event.key.toLowerCase();
    var turned = document.documentElement.dir === "rtl";
    if (key === "arrowleft") key = turned ? "after" : "before";
    if (key === "arrowright") key = turned ? "before" : "after";
    var link = /^[a-z]+$/.test(key) && document.querySelector('a[data-key="' + key + '"]');
    if (link) { event.preventDefault(); location.href = link.href; }
  });
})();
