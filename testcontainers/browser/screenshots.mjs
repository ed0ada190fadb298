// The console's pages as pictures for README and docs, from a fresh quickstart:
//
//   cargo run --release -- --token demo-token --schedule 2s,5s,10s,20s,30s
//   node testcontainers/browser/screenshots.mjs http://127.0.0.1:8080 demo-token \
//     http://127.0.0.1:8081 http://127.0.0.1:8083 25
//
// The last number is how many minutes of a shop's day the overview shows.
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [
  base = "http://127.0.0.1:8080",
  token = "demo-token",
  producer = "http://127.0.0.1:8081",
  receiver = "http://127.0.0.1:8083",
  minutes = "25",
] = process.argv.slice(2);
const folder = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars"],
  chromiumSandbox: false,
});

const open = async (options) => {
  const context = await browser.newContext({ locale: "en-GB", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const shoot = (name, fullPage = false) => page.screenshot({ path: `${folder}${name}.png`, fullPage });
  await page.goto(base);
  return { page, shoot };
};
const signIn = async (page) => {
  await page.locator("#token").fill(token);
  await page.locator("main form button").click();
  await page.locator("#nav").waitFor({ state: "attached" });
};

// Some endpoints more than one.
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
const ask = async (path, data) => {
  const answer = await fetch(`${base}/api/v1/endpoints${path}`, { method: "POST", headers, body: JSON.stringify(data) });
  return answer.json();
};
// A shop's backend, which takes its time. One path is gone for good, another fails.
const answers = { "/old": 410, "/closed": 503 };
const backend = createServer((request, response) => {
  request.resume();
  response.statusCode = answers[request.url] ?? 200;
  setTimeout(() => response.end(response.statusCode === 200 ? "ok" : "Closed for the night"), 10 + 60 * Math.random() ** 3);
});
backend.listen(0, "127.0.0.1");
await once(backend, "listening");
const hook = (path) => `http://127.0.0.1:${backend.address().port}${path}`;
const all = ["new_feedback", "rating_submitted", "nps_calculated", "widget_dismissed"];
await ask("", { url: hook("/warehouse"), description: "Data warehouse", events: all });
const orders = { url: "https://orders.yourshop.de/feedback", description: "Order system", events: ["rating_submitted"], filter: [{ field: "product_sku", operator: "starts_with", value: "BW-" }] };
const { id } = await ask("", orders);
await ask(`/${id}/pause`);
await ask("", { url: `${receiver}/broken`, description: "Newsletter", events: ["new_feedback"] });

// A shop's day: it comes and goes.
const data = (number) => [
  { event: "rating_submitted", data: { score: 1 + (number * 7) % 5, product_sku: `TX-${100 + (number % 40)}`, session_page: "/checkout/thank-you" } },
  { event: "nps_calculated", data: { segment: ["Promoter", "Passive", "Detractor"][number % 3], response_id: `nps_${number}`, session_page: "/account/orders" } },
  { event: "widget_dismissed", data: { product_sku: null, session_duration_seconds: number % 300, session_page: "/" } },
];
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
let number = 0;
const post = async (events) => {
  const body = events.map((event) => JSON.stringify(event)).join("\n");
  await fetch(`${producer}/v1/events`, { method: "POST", headers: { ...headers, "content-type": "application/x-ndjson" }, body });
};
for (const end = Date.now() + minutes * 60_000; Date.now() < end; await pause(1000)) {
  const minute = (end - Date.now()) / 60_000;
  const many = 1 + Math.round((1.3 + Math.sin(minute / 3) + 0.6 * Math.sin(minute * 1.7)) * Math.random());
  const events = Array.from({ length: many }, () => data(number)[number++ % 3]);
  if (number % 17 === 0) events.push({ event: "new_feedback", data: { comment: "Schnell geliefert.", session_page: "/" } });
  await post(events);
}

const { page, shoot } = await open({ viewport: { width: 1200, height: 800 } });
await shoot("sign-in");
await signIn(page);
await page.goto(`${base}/endpoints/new`);
await page.locator("#url").fill("https://api.yourshop.de/webhooks/feedback");
await page.locator("#description").fill("Customer care");
await page.getByRole("checkbox", { name: "rating_submitted" }).check();
await page.getByRole("checkbox", { name: "nps_calculated" }).check();
await page.locator("#filter-0-field").selectOption("score");
await page.locator("#filter-0-operator").selectOption("at_most");
await page.locator("#filter-0-value").fill("2");
await page.locator("#rate").fill("50");
await shoot("endpoint-new", true);
await page.locator(".form-end button").click();
await page.waitForURL(/\/endpoints\/ep_/);
const endpoint = page.url();
await shoot("endpoint", true);
await page.goto(`${endpoint}/edit`);
await shoot("endpoint-edit", true);
await page.goto(`${endpoint}/rotate`);
await shoot("rotate");
await page.goto(`${endpoint}/delete`);
await shoot("delete");
await page.goto(`${base}/endpoints`);
await page.getByRole("link", { name: "Demo receiver" }).click();
await page.getByRole("link", { name: "Send test event" }).click();
await shoot("test-event", true);
await page.getByRole("button", { name: "Send test event" }).click();
await page.locator(".result").waitFor();
await shoot("test-result");
const closed = await ask("", { url: hook("/closed"), description: "Night shift", events: ["nps_calculated"] });
await page.goto(`${base}/endpoints/${closed.id}/test`);
await page.getByRole("button", { name: "Send test event" }).click();
await page.locator(".result").waitFor();
await shoot("test-result-failed");
await fetch(`${base}/api/v1/endpoints/${closed.id}`, { method: "DELETE", headers });
for (const [name, path, whole] of [
  ["overview", "/overview", true],
  ["endpoints", "/endpoints"],
  ["retry-policy", "/settings/retry", true],
  ["audit", "/settings/audit"],
  ["events", "/events"],
  ["api", "/api"],
  ["api-operation", "/api/operations/postEvents"],
  ["api-type", "/api/types/Endpoint"],
]) {
  await page.goto(`${base}${path}`);
  await shoot(name, whole);
}

// A few that fail, and one that waits.
await page.goto(`${base}/endpoints/new`);
await page.locator("#url").fill(`${receiver}/broken`);
await page.locator("#description").fill("Loyalty programme");
await page.getByRole("checkbox", { name: "rating_submitted" }).check();
await page.locator(".form-end button").click();
await page.waitForURL(/\/endpoints\/ep_/);
const broken = page.url().split("/").at(-1);
const rate = async (score) => {
  const answer = await fetch(`${producer}/v1/events`, {
    method: "POST",
    headers,
    body: JSON.stringify({ event: "rating_submitted", data: { score, product_sku: "BW-440-RED", session_page: "/checkout/thank-you" } }),
  });
  return (await answer.json()).id;
};
const first = await rate(2);
for (const score of [5, 4, 1]) await rate(score);
const comes = async (url, text) => {
  do await page.goto(url);
  while (!(await page.getByText(text).count()));
};
await comes(`${base}/failed?endpoint=${broken}`, "4 failed deliveries match");
const waiting = await rate(3);
await comes(`${base}/deliveries?id=${waiting}&endpoint=${broken}`, "Waiting");
await page.goto(`${base}/deliveries`);
await shoot("deliveries");
await comes(`${base}/deliveries/${first}.${broken}`, "Given up");
await page.locator("#payload-body").waitFor({ state: "attached" });
await shoot("delivery", true);
await page.goto(`${base}/failed`);
await shoot("failed");
await page.locator(".id-cell a").first().click();
await page.locator("#payload-title").waitFor();
await shoot("failed-entry", true);
await page.goto(`${base}/failed?endpoint=${broken}`);
await page.getByRole("button", { name: /^Send all/ }).click();
await shoot("failed-ask");
await page.getByRole("button", { name: /^Send all/ }).click();
await page.getByText("Done", { exact: true }).waitFor();
await shoot("job");

// One that says it is gone, and is switched off by that.
const gone = await ask("", { url: hook("/old"), description: "Old shop system", events: ["rating_submitted"] });
await rate(5);
await comes(`${base}/endpoints/${gone.id}`, "Disabled");
await shoot("endpoint-gone");

const dark = await open({ viewport: { width: 1200, height: 800 }, colorScheme: "dark", locale: "de-DE" });
await signIn(dark.page);
await dark.page.goto(endpoint);
await dark.shoot("endpoint-dark-german");
await dark.page.goto(`${base}/overview`);
await dark.shoot("overview-dark-german", true);

const phone = await open({ viewport: { width: 390, height: 844 }, locale: "de-DE" });
await signIn(phone.page);
await phone.page.goto(`${base}/endpoints`);
await phone.shoot("endpoints-phone");
await phone.page.goto(`${base}/overview`);
await phone.shoot("overview-phone");
await browser.close();
backend.close();
