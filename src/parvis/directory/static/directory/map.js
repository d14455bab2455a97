/* The map of the city: Leaflet on the city's own boroughs, both fetched when a map is wanted. Nothing comes from elsewhere. */
window.parvisMap = (function () {
  "use strict";
  var own = document.currentScript.dataset, waiting = null, grounds = {};

  // Calls `done` once Leaflet is there.
  function load(done) {
    if (window.L) { done(); return; }
    if (waiting) { waiting.push(done); return; }
    waiting = [done];
    var style = document.createElement("link"); style.rel = "stylesheet"; style.href = own.leafletCss;
    document.head.insertBefore(style, document.head.firstChild);
    var script = document.createElement("script"); script.src = own.leafletJs;
    script.onload = function () { waiting.forEach(function (each) { each(); }); };
    document.head.appendChild(script);
  }

  function json(address) {
    return fetch(address).then(function (answer) { return answer.json(); });
  }

  // A map without ground in `box`, whose buttons say in the page's language what they do.
  function open(box, more) {
    var still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    var map = window.L.map(box, Object.assign({ attributionControl: false, zoomControl: false, zoomAnimation: !still, fadeAnimation: !still, minZoom: 9, maxZoom: 16 }, more));
    window.L.control.zoom({ zoomInTitle: box.dataset.zoomIn, zoomOutTitle: box.dataset.zoomOut, position: document.documentElement.dir === "rtl" ? "topright" : "topleft" }).addTo(map);
    map.on("zoomend", function () { near(map); });
    return map;
  }

  // Names of boroughs are shown where there is room for them.
  function near(map) { map.getContainer().classList.toggle("map-close", map.getZoom() >= 12); }

  // Promises the GeoJSON of the boroughs, asked for once a page.
  function ground(box) {
    return grounds[box.dataset.areas] || (grounds[box.dataset.areas] = json(box.dataset.areas));
  }

  // Draws the boroughs; gives their layer.
  function draw(map, areas) {
    var layer = window.L.geoJSON(areas, { interactive: false, style: { className: "area" } }).addTo(map);
    layer.eachLayer(function (area) { area.bindTooltip(area.feature.properties.name, { permanent: true, direction: "center", className: "area-name", opacity: 1 }); });
    return layer;
  }

  // The sign of a place, or of several in one spot.
  function sign(several) {
    return window.L.divIcon({ className: "dot" + (several > 1 ? " dot-several" : ""), html: several > 1 ? "<span>" + several + "</span>" : "", iconSize: [28, 28], popupAnchor: [0, several > 1 ? -12 : -24], iconAnchor: [14, several > 1 ? 14 : 26] });
  }

  return { load: load, open: open, ground: ground, draw: draw, near: near, sign: sign, json: json };
})();
