/* What an agent writes without network: sealed in this browser, counted on every page, sent once when it can be.

   Kept in IndexedDB: random salt, account ids, times, and sealed bytes. The key is AES-GCM, made by the office for this
   account and this browser, not extractable; it is forgotten at sign-out and after some hours, and can be had again by
   signing in. What waits to be sent outlives it, sealed; the day's list does not. */
(function () {
  "use strict";
  var place = document.querySelector("[data-desk]");
  if (!place || !window.indexedDB || !window.crypto || !crypto.subtle || !navigator.locks) return;
  var told = place.dataset;
  var EVERY = 15000;
  var encoder = new TextEncoder(), decoder = new TextDecoder();
  var state = "";

  // -- the store ------------------------------------------------------------------------------------------------------

  var opened = new Promise(function (done, fail) {
    var asked = indexedDB.open("parvis-desk", 1);
    asked.onupgradeneeded = function () {
      asked.result.createObjectStore("said", { keyPath: "name" });
      asked.result.createObjectStore("keys", { keyPath: "account" });
      asked.result.createObjectStore("lists", { keyPath: "account" });
      asked.result.createObjectStore("queue", { keyPath: "id" });
    };
    asked.onsuccess = function () { done(asked.result); };
    asked.onerror = function () { fail(asked.error); };
  });

  async function store(name, mode, act) {
    var base = await opened;
    return new Promise(function (done, fail) {
      var work = base.transaction(name, mode, { durability: "strict" });
      var asked = act(work.objectStore(name));
      work.oncomplete = function () { done(asked && asked.result); };
      work.onerror = work.onabort = function () { fail(work.error); };
    });
  }
  function get(name, key) { return store(name, "readonly", function (s) { return s.get(key); }); }
  function all(name) { return store(name, "readonly", function (s) { return s.getAll(); }); }
  function put(name, row) { return store(name, "readwrite", function (s) { return s.put(row); }); }
  function drop(name, key) { return store(name, "readwrite", function (s) { return s.delete(key); }); }
  function clear(name) { return store(name, "readwrite", function (s) { return s.clear(); }); }

  // -- the key --------------------------------------------------------------------------------------------------------

  function bytes(text) { return Uint8Array.from(atob(text), function (c) { return c.charCodeAt(0); }); }
  function text(some) { return btoa(String.fromCharCode.apply(null, some)); }

  async function salt() {
    var found = await get("said", "salt");
    if (!found) {
      found = { name: "salt", value: crypto.getRandomValues(new Uint8Array(16)) };
      await put("said", found);
    }
    return found.value;
  }

  /* Who works here: the account of a page that the office has just drawn, else the last one it was drawn for. */
  async function account() {
    if (told.account) return told.account;
    var last = await get("said", "account");
    return last ? last.value : "";
  }

  async function key(who, waiting) {
    var held = await get("keys", who);
    if (held && held.until > Date.now()) return held.key;
    if (held) await forget(who);
    if (!told.account && !waiting) return null;
    var form = new URLSearchParams({ salt: text(await salt()), waiting: waiting ? "1" : "" });
    var answer = await post(told.key, form);
    if (!answer || !answer.ok) return null;
    var made = await answer.json();
    if (made.account !== who) return null;
    var ours = await crypto.subtle.importKey("raw", bytes(made.key), "AES-GCM", false, ["encrypt", "decrypt"]);
    await put("keys", { account: who, key: ours, until: made.until });
    return ours;
  }

  async function forget(who) {
    await drop("keys", who);
    await drop("lists", who);
  }

  async function wipe() {
    await clear("keys");
    await clear("lists");
    await drop("said", "account");
  }

  async function expire() {
    var now = Date.now();
    for (var held of await all("keys")) if (held.until <= now) await forget(held.account);
    for (var list of await all("lists")) if (list.until <= now) await drop("lists", list.account);
  }

  async function seal(ours, bound, value) {
    var iv = crypto.getRandomValues(new Uint8Array(12));
    var how = { name: "AES-GCM", iv: iv, additionalData: encoder.encode(bound) };
    return { iv: iv, sealed: await crypto.subtle.encrypt(how, ours, encoder.encode(JSON.stringify(value))) };
  }

  async function unseal(ours, bound, row) {
    var how = { name: "AES-GCM", iv: row.iv, additionalData: encoder.encode(bound) };
    return JSON.parse(decoder.decode(await crypto.subtle.decrypt(how, ours, row.sealed)));
  }

  // -- the queue ------------------------------------------------------------------------------------------------------

  async function write(row, ours, value) {
    var sealed = await seal(ours, "queue|" + row.account + "|" + row.id, value);
    await put("queue", Object.assign({}, row, sealed));
  }

  /* Keep one write; it is in the store before this says so. Returns its id, or "" when nothing can be kept here. */
  async function add(kind, data) {
    var who = await account();
    var ours = who && (await key(who));
    if (!ours) return "";
    var row = { id: crypto.randomUUID(), account: who, at: Date.now(), state: "waits" };
    await write(row, ours, { kind: kind, data: data, made_at: new Date().toISOString() });
    await show();
    send();
    return row.id;
  }

  /* What waits and can be read here: [{id, at, state, kind, data, answer}]. */
  async function waiting() {
    var who = await account(), ours = who && (await get("keys", who)), found = [];
    for (var row of await all("queue")) {
      if (row.account !== who || !ours || ours.until <= Date.now()) continue;
      var value = await unseal(ours.key, "queue|" + row.account + "|" + row.id, row);
      found.push(Object.assign({ id: row.id, at: row.at, state: row.state }, value));
    }
    return found.sort(function (a, b) { return a.at - b.at; });
  }

  async function decide(id, decision) {
    await navigator.locks.request("parvis-send", async function () {
      if (decision === "drop") { await drop("queue", id); return; }
      var row = await get("queue", id), ours = row && (await key(row.account, true));
      if (!ours) return;
      var value = await unseal(ours, "queue|" + row.account + "|" + row.id, row);
      value.decision = decision;
      row.state = "waits";
      await write(row, ours, value);
    });
    await show();
    send();
  }

  function token() {
    var found = document.cookie.match(/(?:^|; )csrftoken=([^;]*)/);
    return found ? decodeURIComponent(found[1]) : "";
  }

  /* The answer, or null when there is none. */
  async function post(url, body) {
    var stop = new AbortController();
    var bell = setTimeout(function () { stop.abort(); }, 20000);
    try {
      var head = { "X-CSRFToken": token() };
      if (typeof body === "string") head["Content-Type"] = "application/json";
      return await fetch(url, { method: "POST", body: body, headers: head, redirect: "manual", signal: stop.signal });
    } catch (error) {
      return null;
    } finally {
      clearTimeout(bell);
    }
  }

  /* Send what waits, oldest first, in one tab at a time. */
  async function send() {
    await navigator.locks.request("parvis-send", { ifAvailable: true }, async function (lock) {
      if (!lock) return;
      var who = await account();
      var rows = (await all("queue")).filter(function (row) { return row.account === who && row.state === "waits"; });
      if (!rows.length) { state = navigator.onLine ? "" : "offline"; return; }
      if (!navigator.onLine) { state = "offline"; return; }
      var ours = await key(who, true);
      if (!ours) { state = "signin"; return; }
      rows.sort(function (a, b) { return a.at - b.at; });
      for (var row of rows) {
        state = await deliver(row, ours);
        if (state) break;
        await show();
      }
    });
    await show();
  }

  /* One write. Returns "" when the next may follow, else why not. */
  async function deliver(row, ours) {
    var value = await unseal(ours, "queue|" + row.account + "|" + row.id, row);
    var body = { key: row.id, account: row.account, kind: value.kind, data: value.data, made_at: value.made_at };
    var answer = await post(told.send, JSON.stringify(Object.assign(body, { decision: value.decision || "" })));
    if (!answer || answer.status >= 500 || answer.status === 429) return "offline";
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return "signin";
    if (answer.ok) {
      await drop("queue", row.id);
      document.dispatchEvent(new CustomEvent("parvis:sent", { detail: value }));
      return "";
    }
    if (answer.status !== 409 && answer.status !== 422) return "offline";
    value.answer = await answer.json();
    row.state = value.answer.state;
    await write(row, ours, value);
    return "";
  }

  // -- the day's list -------------------------------------------------------------------------------------------------

  async function keepList() {
    var who = told.account, ours = who && (await key(who));
    if (!ours) return;
    var answer = await fetch(told.list, { redirect: "manual" }).catch(function () { return null; });
    if (!answer || !answer.ok) return;
    var held = await get("keys", who);
    if (!held) return;
    var sealed = await seal(ours, "list|" + who, await answer.json());
    await put("lists", Object.assign({ account: who, until: held.until, at: Date.now() }, sealed));
  }

  async function list() {
    var who = await account(), held = who && (await get("keys", who)), row = who && (await get("lists", who));
    if (!held || !row || held.until <= Date.now() || row.until <= Date.now()) return null;
    return Object.assign(await unseal(held.key, "list|" + who, row), { at: row.at });
  }

  /* The office has it on or off: said by the page Today alone. */
  async function switched(on) {
    var worker = navigator.serviceWorker;
    if (on) {
      if (worker) await worker.register(told.worker).catch(function () {});
      await keepList();
      return;
    }
    if (worker) for (var one of await worker.getRegistrations()) await one.unregister();
    if (window.caches) for (var name of await caches.keys()) if (name.startsWith("parvis ")) await caches.delete(name);
    await clear("lists");
    if (!(await all("queue")).length) await clear("keys");
  }

  // -- what everybody sees --------------------------------------------------------------------------------------------

  async function show() {
    var rows = await all("queue"), who = await account();
    var others = rows.filter(function (row) { return row.account !== who; }).length;
    var stuck = rows.some(function (row) { return row.account === who && row.state !== "waits"; });
    var away = state === "offline" || !navigator.onLine;
    place.hidden = !rows.length && !(away && (await get("keys", who)));
    place.querySelector("[data-count]").textContent = rows.length || "";
    place.querySelector("[data-words]").textContent = rows.length ? told.waits : told.nothing;
    place.querySelector("[data-said]").textContent =
      away ? told.offline : stuck ? told.decide : state === "signin" && rows.length > others ? told.signin
        : others && others === rows.length ? told.other : "";
    document.documentElement.classList.toggle("is-away", away);
    document.dispatchEvent(new CustomEvent("parvis:queue", { detail: { count: rows.length, state: state } }));
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!/\/account\/logout\/$/.test(form.action) || form.dataset.wiped) return;
    event.preventDefault();
    form.dataset.wiped = "1";
    wipe().catch(function () {}).then(function () { form.submit(); });
  });

  async function start() {
    await expire();
    if (told.account) {
      var last = await get("said", "account");
      // another person sits down: what the one before could read is closed; what they wrote stays, sealed
      if (last && last.value !== told.account) { await clear("keys"); await clear("lists"); }
      await put("said", { name: "account", value: told.account });
    }
    await show();
    var today = document.querySelector("[data-offline-hours]");
    if (today && told.account) await switched(Number(today.dataset.offlineHours) > 0);
    await send();
  }

  window.addEventListener("online", send);
  window.addEventListener("offline", function () { show(); });
  setInterval(function () { expire().then(send); }, EVERY);
  window.parvisDesk = { add: add, waiting: waiting, decide: decide, list: list, send: send, wipe: wipe, ready: start() };
})();
