// The demo shop's page: the cart, and the list of what the endpoint receives. A row
// begins with a click in the widget ("feedbackpro" events) or with a delivery (the
// feed). What was delivered is hostile: it becomes text, never markup.
(() => {
"use strict";
const MOST_ROWS = 50;
const byId = (id) => document.getElementById(id);
const list = byId("received"), template = byId("row");
const language = document.documentElement.lang;

// Rows whose event came from this page: by Idempotency-Key until the answer, then by id.
const clicks = new Map();
// Rows by the feed's ids: a feed that connects again tells again what it has kept.
const deliveries = new Map();

const forget = (row) => {
  for (const rows of [clicks, deliveries])
    for (const [key, known] of rows) if (known === row) rows.delete(key);
  row.remove();
};

const newRow = (event, at) => {
  const row = template.content.cloneNode(true).firstElementChild;
  row.find = (selector) => row.querySelector(selector);
  row.find(".event").textContent = event;
  row.find("time").textContent = at.toLocaleTimeString(language);
  row.find("time").dateTime = at.toISOString();
  list.prepend(row);
  while (list.children.length > MOST_ROWS) forget(list.lastElementChild);
  return row;
};

// Puts a step into a state; its words are in the page.
const step = (row, name, state, told = "") => {
  const part = row.find("." + name);
  part.dataset.state = state;
  part.querySelector("span").textContent = part.querySelector("span").dataset[state];
  part.querySelector("b").textContent = told;
};

const duration = (ms) => {
  const inSeconds = ms >= 10_000;
  const format = { style: "unit", unit: inSeconds ? "second" : "millisecond", maximumFractionDigits: inSeconds ? 1 : 0 };
  return new Intl.NumberFormat(language, format).format(inSeconds ? ms / 1000 : ms);
};

const indented = (payload) => {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
};

document.addEventListener("feedbackpro", ({ detail: { event, key, state, id, text } }) => {
  if (state === "sent") {
    const row = clicks.get(key) ?? newRow(event, new Date());
    row.clickedAt ??= performance.now();
    row.classList.add("own");
    clicks.set(key, row);
    step(row, "accepted", "sent");
    return;
  }
  const row = clicks.get(key);
  if (!row) return;
  const took = duration(performance.now() - row.clickedAt);
  if (state === "refused") {
    step(row, "accepted", "refused", text);
    return;
  }
  step(row, "accepted", "accepted", took);
  row.find(".id code").textContent = id;
  clicks.delete(key);
  const early = clicks.get(id);
  clicks.set(id, row);
  if (!early) {
    step(row, "delivered", "open");
  } else if (early !== row) {
    // The delivery was here before the answer.
    row.seenAt = early.seenAt;
    show(row, early.delivery);
    for (const [seen, known] of deliveries) if (known === early) deliveries.set(seen, row);
    early.remove();
  }
});

const show = (row, delivery) => {
  row.delivery = delivery;
  row.find(".id code").textContent = delivery.id;
  row.find(".attempt b").textContent = delivery.attempt;
  row.classList.add("here");
  const took = row.clickedAt && duration(row.seenAt - row.clickedAt);
  const told = took ? `${delivery.status} · ${took}` : delivery.status;
  step(row, "delivered", delivery.status < 300 ? "delivered" : "failed", told);
  const signature = row.find(".signature");
  signature.dataset.state = delivery.signature;
  signature.textContent = signature.dataset[delivery.signature];
  row.find("pre").textContent = indented(delivery.payload);
  if (!took) return;
  row.find("details").open = true;
  byId("latest").textContent = `${delivery.event}: ${took}, ${signature.textContent}`;
};

const receive = ({ data, lastEventId }) => {
  if (deliveries.has(lastEventId)) return;
  const seenAt = performance.now();
  const delivery = JSON.parse(data);
  const click = clicks.get(delivery.id);
  // A further attempt is a row of its own.
  const row = click && !click.delivery ? click : newRow(delivery.event, new Date(delivery.at));
  row.seenAt = seenAt;
  deliveries.set(lastEventId, row);
  if (!click) clicks.set(delivery.id, row);
  show(row, delivery);
};

const link = byId("link");
const linked = (state) => {
  link.dataset.state = state;
  link.textContent = link.dataset[state];
};
const feed = new EventSource("/shop/received");
feed.addEventListener("open", () => linked("live"));
feed.addEventListener("error", () => linked("lost"));
feed.addEventListener("delivery", receive);

let inCart = 0;
byId("buy").addEventListener("click", () => {
  byId("cart").textContent = ++inCart;
});
})();
