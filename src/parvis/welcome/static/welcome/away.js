/* The page that a browser keeps: it draws what it can open of the day's list and of what waits, and keeps what is written. */
document.addEventListener("DOMContentLoaded", function () {  // after desk.js, wherever it stands
  "use strict";
  var page = document.querySelector("[data-away]"), desk = window.parvisDesk;
  function one(name, scope) { return (scope || page).querySelector("[data-" + name + "]"); }
  var labels = one("labels").dataset;

  function news(words) { one("news").textContent = words; }

  async function drawQueue() {
    var rows = await desk.waiting(), list = one("rows");
    one("queue").hidden = !rows.length;
    list.replaceChildren.apply(list, rows.map(function (row) {
      var item = one("row").content.cloneNode(true);
      one("what", item).textContent = labels[row.kind] || row.kind;
      one("name", item).textContent = row.data.name || row.data.label || "";
      var mark = one("state", item);
      mark.textContent = labels[row.state] || row.state;
      mark.classList.toggle("badge-warn", row.state !== "waits");
      if (row.answer && row.state !== "waits") {
        one("words", item).textContent = row.answer.words;
        one("words", item).hidden = false;
        item.querySelector("[data-do=mine]").hidden = (row.answer.choices || []).indexOf("mine") < 0;
      }
      item.querySelectorAll("[data-do]").forEach(function (button) {
        button.addEventListener("click", function () { desk.decide(row.id, button.dataset.do).then(draw); });
      });
      return item;
    }));
    return rows;
  }

  async function drawList(rows) {
    var found = await desk.list();
    var taken = new Set(rows.filter(function (r) { return r.kind === "complete"; }).map(function (r) { return r.data.step; }));
    one("list").hidden = !found || !found.steps.length;
    if (!found) return;
    var at = new Date(found.at), list = one("steps");
    one("list-at").textContent = at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    list.replaceChildren.apply(list, found.steps.filter(function (step) { return !taken.has(step.step); }).map(function (step) {
      var item = one("step").content.cloneNode(true);
      one("title", item).textContent = step.title;
      one("name", item).textContent = step.name;
      one("reference", item).textContent = step.reference;
      one("due", item).textContent = step.due_words;
      one("complete", item).addEventListener("submit", function (event) {
        event.preventDefault();
        var data = { step: step.step, version: step.version, home: step.home, label: step.title + " · " + step.name,
                     evidence: event.target.elements.evidence.value };
        desk.add("complete", data).then(kept);
      });
      return item;
    }));
  }

  var drawing = Promise.resolve();
  function draw() {
    drawing = drawing.then(drawQueue).then(drawList).catch(function (error) { console.error(error); });
    return drawing;
  }

  function kept(id) {
    news(id ? page.dataset.kept : page.dataset.lost);
    draw();
    return Boolean(id);
  }

  page.querySelector("form[data-intake]").addEventListener("submit", async function (event) {
    event.preventDefault();
    var form = event.target, name = form.elements.name, data = {};
    if (!name.value.trim()) { name.setAttribute("aria-invalid", "true"); name.focus(); return; }
    name.removeAttribute("aria-invalid");
    new FormData(form).forEach(function (value, field) {
      if (field === "needs") (data.needs = data.needs || []).push(value); else data[field] = value;
    });
    if (!kept(await desk.add("intake", data))) return;
    form.reset();
    name.focus();
  });

  document.addEventListener("parvis:queue", draw);
  document.addEventListener("parvis:sent", function () { news(page.dataset.sent); });
  desk.ready.then(draw);
});
