/* The search page: results while typing come from htmx; this adds the place, the map and what a swap would lose. */
(function () {
  "use strict";
  var form = document.getElementById("search");
  if (!form) return;
  var near = document.getElementById("near"), at = document.getElementById("at"), said = document.getElementById("said");
  var tools = window.parvisMap, map = null, mapWanted = false, foldOpen = null;

  function submit() { form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })); }

  // Filters stay beside the results on a wide screen and folded on a narrow one, unless the reader chose otherwise.
  function fold() {
    var details = document.getElementById("filter-fold");
    if (!details) return;
    details.open = foldOpen !== null ? foldOpen : matchMedia("(min-width: 56rem)").matches;
    details.addEventListener("toggle", function () { foldOpen = details.open; });
  }

  function place(text) {
    var line = document.getElementById("near-said");
    line.hidden = !text; line.textContent = text;
  }

  form.addEventListener("click", function (event) {
    var button = event.target.closest("[data-near], [data-map]");
    if (!button) return;
    if (button.hasAttribute("data-map")) { mapWanted = !mapWanted; showMap(); return; }
    if (!navigator.geolocation) { place(button.dataset.refused); near.focus(); return; }
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(function (found) {
      button.disabled = false; place("");
      // A hundred metres are near enough, and a shared link must not say where somebody lives.
      at.value = found.coords.latitude.toFixed(3) + "," + found.coords.longitude.toFixed(3);
      near.value = ""; submit();
    }, function () { button.disabled = false; place(button.dataset.refused); near.focus(); }, { timeout: 10000, maximumAge: 300000 });
  });
  // Leaving the box is not a new question: what was typed has been asked already.
  document.getElementById("q").addEventListener("change", function (event) { event.stopPropagation(); });
  // What is typed reads in its own direction; an empty box in the page's.
  document.getElementById("q").addEventListener("input", function (event) { event.target.dir = event.target.value ? "auto" : ""; });
  near.addEventListener("input", function () { at.value = ""; });

  document.addEventListener("htmx:configRequest", function (event) {
    if (event.target !== form) return;
    Object.keys(event.detail.parameters).forEach(function (key) { if (event.detail.parameters[key] === "") delete event.detail.parameters[key]; });
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.target.id === "answer" && map) { map.remove(); map = null; }
  });
  document.addEventListener("htmx:afterSwap", function () {
    var answer = document.getElementById("answer");
    document.querySelector(".square").classList.toggle("square-near", !!answer.dataset.said);
    said.textContent = answer.dataset.said;
    fold();
    if (mapWanted) showMap();
  });

  // The same question in another language.
  document.addEventListener("htmx:replacedInHistory", function () {
    Array.prototype.forEach.call(document.querySelectorAll(".tongues a"), function (link) { link.search = location.search; });
  });

  // The map is fetched only when somebody opens it.
  function showMap() {
    var box = document.getElementById("map-place"), button = form.querySelector("[data-map]");
    if (!box || !button) return;
    box.hidden = !mapWanted; button.setAttribute("aria-expanded", String(mapWanted));
    if (mapWanted) tools.load(draw);
  }

  function draw() {
    var box = document.querySelector("#map-place .map");
    if (map || !box) return;
    map = tools.open(box, {});
    map.on("popupopen", function (event) {
      var close = event.popup.getElement().querySelector(".leaflet-popup-close-button");
      if (close) close.setAttribute("aria-label", box.dataset.close);
    });
    var current = map;
    Promise.all([tools.ground(box), tools.json(document.getElementById("answer").dataset.points)]).then(function (got) {
      if (map !== current) return;
      var areas = tools.draw(map, got[0]);
      var spots = {}, points = [];
      got[1].points.forEach(function (point) {
        var key = point.at[0].toFixed(4) + "," + point.at[1].toFixed(4);
        (spots[key] = spots[key] || []).push(point);
      });
      Object.keys(spots).forEach(function (key) {
        var here = spots[key], list = document.createElement("ul");
        here.forEach(function (point) {
          var link = document.createElement("a"), item = document.createElement("li");
          link.href = point.url; link.textContent = point.name; item.appendChild(link); list.appendChild(item);
        });
        points.push(here[0].at);
        window.L.marker(here[0].at, {
          title: here.map(function (point) { return point.name; }).slice(0, 3).join(", "), alt: here[0].name,
          icon: tools.sign(here.length)
        }).bindPopup(list, { minWidth: 200, maxWidth: 260 }).addTo(map);
      });
      map.fitBounds(points.length ? window.L.latLngBounds(points).pad(0.15) : areas.getBounds(), { maxZoom: 14, animate: false });
      tools.near(map);
    });
  }

  fold();
})();
