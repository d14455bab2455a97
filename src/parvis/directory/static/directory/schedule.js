/* The schedule editor, a little quicker: nothing here is needed. Words come from the server while one types; a time
   typed into a day that says "closed" opens it. */
(function () {
  "use strict";
  document.addEventListener("input", function (event) {
    var form = event.target.closest("[data-schedule]");
    if (!form) return;
    var day = event.target.closest("[data-day]");
    if (day && event.target.matches("input") && event.target.value) {
      var mode = day.querySelector("select");
      if (mode && mode.value) mode.value = "";
    }
    form.dispatchEvent(new CustomEvent("schedule-changed"));
  });
})();
