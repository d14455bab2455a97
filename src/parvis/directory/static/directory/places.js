/* Small maps of one place: on public pages, drawn when they come into view; at the desk, to choose a point by hand. */
(function () {
  "use strict";
  var tools = window.parvisMap, START = 14;

  function point(text) {
    var parts = text.split(",").map(Number);
    return parts.length === 2 && isFinite(parts[0]) && isFinite(parts[1]) ? parts : null;
  }

  // -- one place, to look at: a page still scrolls over it, and the page's addresses say the same in words
  function show(box) {
    var at = point(box.dataset.at);
    tools.ground(box).then(function (areas) {
      if (!areas.features.length) { box.hidden = true; return; }
      tools.load(function () {
        var map = tools.open(box, { scrollWheelZoom: false, dragging: matchMedia("(pointer: fine)").matches });
        map.setView(at, START - 2, { animate: false });
        tools.draw(map, areas);
        tools.near(map);
        window.L.marker(at, { icon: tools.sign(1), interactive: false, keyboard: false, alt: "" }).addTo(map);
      });
    });
  }

  var boxes = Array.prototype.filter.call(document.querySelectorAll(".map[data-at]"), function (box) { return point(box.dataset.at); });
  var saving = navigator.connection && navigator.connection.saveData;
  if (boxes.length && window.IntersectionObserver && !saving) {
    var watcher = new IntersectionObserver(function (seen) {
      seen.forEach(function (each) {
        if (!each.isIntersecting) return;
        watcher.unobserve(each.target); show(each.target);
      });
    });
    boxes.forEach(function (box) { box.hidden = false; watcher.observe(box); });
  }

  // -- a point to choose: the two fields stay what counts, the map only fills them in
  function pick(part) {
    var fields = [document.getElementById(part.dataset.latitude), document.getElementById(part.dataset.longitude)];
    var box = part.querySelector(".map"), sign = part.dataset.decimal, map = null, pin = null;
    if (!fields[0] || !fields[1]) return;

    function written() {
      var found = fields.map(function (field) { return field.value.trim().replace(sign, ".").replace("−", "-"); });
      return found[0] && found[1] ? point(found.join(",")) : null;
    }
    function put(at) {
      if (!at) { if (pin) { pin.remove(); pin = null; } return; }
      if (pin) { pin.setLatLng(at); return; }
      pin = window.L.marker(at, { icon: tools.sign(1), draggable: true, keyboard: false, alt: "" }).addTo(map);
      pin.on("dragend", function () { write(pin.getLatLng()); });
    }
    function write(at) {
      [at && at.lat, at && at.lng].forEach(function (value, number) {
        fields[number].value = at ? value.toFixed(6).replace(".", sign) : "";
      });
      put(at);
    }

    part.hidden = false;
    part.addEventListener("toggle", function () {
      if (!part.open || map) return;
      Promise.all([tools.ground(box), new Promise(tools.load)]).then(function (got) {
        if (map) return;
        map = tools.open(box, {});
        var areas = tools.draw(map, got[0]), at = written();
        if (at) map.setView(at, START, { animate: false });
        else if (got[0].features.length) map.fitBounds(areas.getBounds(), { animate: false });
        else map.setView([0, 0], 9, { animate: false });
        tools.near(map);
        put(at);
        map.on("click", function (event) { write(event.latlng); });
      });
    });
    fields.forEach(function (field) {
      field.addEventListener("change", function () { if (map) { put(written()); if (pin) map.panTo(pin.getLatLng()); } });
    });
    part.querySelector("[data-middle]").addEventListener("click", function () { if (map) write(map.getCenter()); });
    part.querySelector("[data-none]").addEventListener("click", function () { write(null); });
  }

  Array.prototype.forEach.call(document.querySelectorAll("[data-pick]"), pick);
})();
