/* The service worker of the desk without network: it keeps one page that names nobody and what that page is drawn
   with, and answers only for pages under its own folder. What people write goes through no cache. */
"use strict";
const ASKED = {{ asked|safe }};
const KEPT = "parvis " + ASKED.page + " " + ASKED.kept;
const PATIENCE = 8000;

async function keep(cache, url) {
  const answer = await fetch(url, { cache: "reload", credentials: "same-origin" });
  if (!answer.ok || answer.redirected) throw new Error(url + ": " + answer.status);
  await cache.put(url, answer);
}

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await caches.open(KEPT);
  await Promise.all([ASKED.page, ...ASKED.assets].map((url) => keep(cache, url)));
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith("parvis " + ASKED.page + " ") && name !== KEPT) await caches.delete(name);
  }
  await self.clients.claim();
})()));

async function page(request) {
  const stop = new AbortController();
  const bell = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const answer = await fetch(request, { signal: stop.signal });
    if (answer.status < 502 || answer.status > 504) return answer;
  } catch (error) { /* no network: below */ } finally { clearTimeout(bell); }
  return (await (await caches.open(KEPT)).match(ASKED.page)) || Response.error();
}

async function asset(request) {
  return (await (await caches.open(KEPT)).match(request, { ignoreSearch: false })) || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const asked = event.request;
  if (asked.method !== "GET") return;
  const url = new URL(asked.url);
  if (url.origin !== self.location.origin) return;
  if (asked.mode === "navigate") {
    if (url.pathname === ASKED.page || url.pathname === ASKED.today) event.respondWith(page(asked));
  } else if (ASKED.assets.includes(url.pathname)) {
    event.respondWith(asset(asked));
  }
});
