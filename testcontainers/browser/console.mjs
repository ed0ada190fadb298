// The console's pages in a real browser, on a quickstart that runs:
//
//   node testcontainers/browser/console.mjs http://127.0.0.1:8080 TOKEN http://127.0.0.1:8081
//
// Its schedule must be one of seconds.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isClean, isReachedByTab, standsStill, visit } from "./browser.mjs";

const [console_ = "http://127.0.0.1:8080", token = "demo", producer = "http://127.0.0.1:8081"] = process.argv.slice(2);
const HOSTILE = `</pre><script>alert(1)</script>"'><img src=x onerror=alert(2)>`;

// A server until the tests end; its URL.
const serve = async (answer) => {
  const server = createServer(answer).listen(0, "127.0.0.1");
  after(() => server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
};

// A shop's server: what it got, and answers that a page must not believe.
const received = [];
const broken = new Set();
const shop = await serve(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  received.push({ path: request.url, headers: request.headers, body: Buffer.concat(parts) });
  if (request.url === "/moved") response.writeHead(301, { location: "https://elsewhere.example/" });
  else response.writeHead(broken.has(request.url) ? 500 : 200, { "content-type": "text/html" });
  response.end(HOSTILE);
});
const hook = (path) => `${shop}${path}`;

// The console as a slow line brings it: each page in pieces.
const slow = await serve(async ({ url, headers: { cookie } }, response) => {
  const answer = await fetch(`${console_}${url}`, { headers: { cookie, "accept-language": "de" } });
  const [type, body] = [answer.headers.get("content-type"), Buffer.from(await answer.arrayBuffer())];
  response.writeHead(answer.status, { "content-type": type });
  const piece = type.startsWith("text/html") ? 2_000 : body.length;
  for (let at = 0; at < body.length; at += piece) {
    response.write(body.subarray(at, at + piece));
    await setTimeout(50);
  }
  response.end();
});

const WIDE = { viewport: { width: 1280, height: 860 } };
const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: "dark" };

const signIn = async (page) => {
  await page.locator("#token").fill(token);
  await page.locator("main form button").click();
  await page.locator("#nav").waitFor({ state: "attached" });
};

const inConsole = (name, path, options, look) =>
  visit(name, `${console_}${path}`, { ...WIDE, ...options }, async (page) => {
    const foreign = [];
    page.on("request", (it) => it.url().startsWith(console_) || it.url().startsWith("blob:") || foreign.push(it.url()));
    page.on("dialog", (dialog) => foreign.push(`a dialog: ${dialog.message()}`));
    await signIn(page);
    await look(page);
    assert.deepEqual(foreign, [], "only the console is asked, and nothing of others runs");
  });

// An endpoint by the form; its URL in the console.
const add = async (page, path, description, event = "rating_submitted") => {
  await page.goto(`${console_}/endpoints/new`);
  await page.locator("#url").fill(hook(path));
  await page.locator("#description").fill(description);
  await page.getByRole("checkbox", { name: event }).check();
  await page.locator(".form-end button").click();
  await page.waitForURL(/\/endpoints\/ep_/);
  return page.url();
};

// A comment that a shop's widget sends; the event's id.
const comment = async (text) => {
  const answer = await fetch(`${producer}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ event: "new_feedback", data: { comment: text, session_page: "/checkout/thank-you" } }),
  });
  assert.equal(answer.status, 202);
  return (await answer.json()).id;
};

// Loads a page until it shows something.
const comes = async (page, url, what) => {
  const deadline = Date.now() + 20_000;
  do await page.goto(url);
  while (!(await what(page).count()) && Date.now() < deadline);
  await what(page).first().waitFor();
};

inConsole("an endpoint is added by keyboard alone", "/endpoints/new", {}, async (page) => {
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Zum Inhalt");
  await page.keyboard.press("Enter");
  // Past the way back to the list.
  await press("Tab", "Tab");
  await page.keyboard.type(hook("/ok"));
  await page.keyboard.press("Tab");
  await page.keyboard.type("Mit der Tastatur");
  await press("Tab", "Tab", "Space", "Enter");
  await page.waitForURL(/\/endpoints\/ep_/);
  await page.getByRole("heading", { name: "Mit der Tastatur" }).waitFor();
  await page.getByRole("status").filter({ hasText: "Der Endpunkt ist angelegt" }).waitFor();
  await page.getByText("rating_submitted").first().waitFor();
  await page.goto(`${console_}/endpoints`);
  await page.keyboard.press("/");
  await page.keyboard.type("tastatur");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=tastatur/);
  await page.getByRole("link", { name: "Mit der Tastatur" }).first().waitFor();
});

inConsole("mistakes are named, linked, and keep what was typed", "/endpoints/new", { expected: /422/ }, async (page) => {
  await page.locator("#url").fill("https://localhost/hook");
  await page.locator(".form-end button").click();
  const summary = page.getByRole("alert");
  await summary.waitFor();
  assert.ok(await summary.evaluate((node) => node === document.activeElement));
  await isClean(page);
  await summary.getByRole("link").first().click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "url");
  assert.equal(await page.locator("#url").inputValue(), "https://localhost/hook");
  await page.getByRole("button", { name: "Bedingung hinzufügen" }).click();
  await page.locator("#filter-0-field").selectOption("score");
  await page.getByRole("button", { name: "Bedingung hinzufügen" }).click();
  await page.locator("#filter-1-field").waitFor();
  assert.equal(await page.locator("#filter-0-field").inputValue(), "score");
  await page.getByRole("button", { name: "Bedingung 1 entfernen" }).click();
  await page.locator("#filter-1-field").waitFor({ state: "detached" });
  assert.equal(await page.locator("#filter-0-field").inputValue(), "");
});

inConsole(
  "a test event shows what goes out and what comes back, all of it as text",
  "/endpoints/new",
  { permissions: ["clipboard-read", "clipboard-write"] },
  async (page) => {
    await page.locator("#url").fill(hook("/ok?draft"));
    await page.getByRole("button", { name: "Anfrage zeigen" }).click();
    await page.getByRole("heading", { name: "Das wird gesendet" }).waitFor();
    assert.ok(!received.some((it) => it.path === "/ok?draft"));
    await isClean(page);
    await page.getByRole("button", { name: "Testereignis senden" }).click();
    await page.getByRole("heading", { name: "Zugestellt" }).waitFor();
    assert.equal(received.filter((it) => it.path === "/ok?draft").length, 1);
    await page.locator("pre.code", { hasText: HOSTILE }).waitFor();

    const endpoint = await add(page, "/ok?saved", HOSTILE);
    await page.getByRole("heading", { name: HOSTILE }).waitFor();
    await page.goto(`${endpoint}/test`);
    await page.getByRole("radio", { name: /nps_calculated/ }).check();
    await page.waitForURL(/event=nps_calculated/);
    await page.getByRole("button", { name: "Testereignis senden" }).click();
    const result = page.locator(".result");
    await result.getByRole("heading", { name: "Zugestellt" }).waitFor();
    await result.getByText("200", { exact: true }).waitFor();
    await isClean(page);
    const [delivery] = received.filter((it) => it.path === "/ok?saved");
    assert.equal(delivery.headers["x-feedbackpro-event"], "nps_calculated");
    // What is copied is what went out, byte for byte.
    await result.getByText("Was gesendet wurde").click();
    const copy = result.locator("details").getByRole("button", { name: "Kopieren" });
    await copy.click();
    await result.locator("details").getByRole("button", { name: "Kopiert" }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), delivery.body.toString());
  },
);

inConsole("what is wrong is said in words", "/endpoints", { locale: "en-GB" }, async (page) => {
  const endpoint = await add(page, "/moved", "Moved");
  await page.goto(`${endpoint}/test`);
  await page.getByRole("button", { name: "Send test event" }).click();
  await page.getByText("The endpoint redirects to another URL.").waitFor();
  await page.getByText("Enter the URL where the redirect ends.").waitFor();
});

inConsole("a secret is revealed, verifies, and is rotated with both signing", "/endpoints", {}, async (page) => {
  const endpoint = await add(page, "/ok?signed", "Signiert");
  assert.doesNotMatch(await page.content(), /whsec_[A-Za-z0-9+/]/);
  const reveal = async () => {
    await page.getByRole("button", { name: "Geheimnis zeigen" }).click();
    const shown = page.locator(".secret code");
    await page.locator(".secret[data-focus]").waitFor();
    return shown.allTextContents();
  };
  const [first] = await reveal();
  await isClean(page);
  await page.getByRole("link", { name: "Geheimnis erneuern" }).click();
  await page.getByText("24 Stunden lang trägt jede Zustellung zwei Signaturen").waitFor();
  await page.getByRole("button", { name: "Geheimnis erneuern" }).click();
  await page.getByText("Jede Zustellung ist mit zwei Geheimnissen signiert").waitFor();
  const both = await reveal();
  assert.equal(both.length, 2);
  assert.equal(both[1], first);
  await page.goto(`${endpoint}/test`);
  await page.getByRole("button", { name: "Testereignis senden" }).click();
  await page.locator(".result").waitFor();
  const { headers, body } = received.find((it) => it.path === "/ok?signed");
  const signatures = both.map((secret) => `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`);
  assert.deepEqual(headers["x-feedbackpro-signature"].split(",").sort(), signatures.sort());
  await page.goto(`${console_}/settings/audit`);
  await page.getByRole("cell", { name: "Geheimnis angesehen" }).first().waitFor();
});

inConsole("a failed delivery is found, looked at, sent again and delivered", "/overview", { expected: /410/ }, async (page) => {
  broken.add("/flaky");
  const endpoint = (await add(page, "/flaky", "Wackelig", "new_feedback")).split("/").at(-1);
  const event = await comment(HOSTILE);
  const failed = (page) => page.locator("tr", { hasText: "Wackelig" }).getByText("Gescheitert");
  await comes(page, `${console_}/deliveries?id=${event}&endpoint=${endpoint}`, failed);
  await isClean(page);
  await page.getByRole("link", { name: /new_feedback/ }).click();
  await page.getByText("Versuch 4").waitFor();
  assert.equal(await page.locator(".steps > li").count(), 4);
  await page.getByText("Status 500").first().waitFor();
  await page.locator("details summary").first().click();
  await page.locator("details[open] pre.code", { hasText: HOSTILE }).waitFor();
  // What was sent comes a moment later.
  const body = page.locator("#payload-body");
  await body.waitFor({ state: "attached" });
  assert.equal(await body.textContent(), received.find((it) => it.path === "/flaky").body.toString());
  await isClean(page);

  await page.goto(`${console_}/failed?endpoint=${endpoint}`);
  await page.getByText("1 gescheiterte Zustellung passt.").waitFor();
  await isClean(page);
  await page.getByRole("link", { name: /new_feedback/ }).click();
  await page.getByText("Alle Versuche sind gescheitert.").waitFor();
  await page.locator("pre.code", { hasText: "<script>alert(1)</script>" }).waitFor();
  await isClean(page);
  const tries = received.filter((it) => it.path === "/flaky").length;
  broken.delete("/flaky");
  await page.getByRole("button", { name: "Noch einmal senden" }).click();
  await page.getByText("Die Zustellung wird noch einmal gesendet.").waitFor();
  assert.match(page.url(), new RegExp(`/deliveries/${event}`));
  // Without a reload by the person.
  await page.getByText("Der Endpunkt hat sie angenommen").waitFor();
  await page.getByText("Der Plan beginnt von vorn").waitFor();
  await isClean(page);
  const got = received.filter((it) => it.path === "/flaky");
  assert.equal(got.length, tries + 1);
  assert.deepEqual(got.at(-1).body, got[0].body);
  await page.goto(`${console_}/failed?endpoint=${endpoint}`);
  await page.getByText("Keine gescheiterte Zustellung passt").waitFor();
  await page.goto(`${console_}/failed/${event}.${endpoint}`);
  await page.getByText("Zustellung noch einmal gesendet").waitFor();
  await isClean(page);
});

inConsole("many at once are counted, done by a job, and seen to the end", "/overview", { locale: "en-GB" }, async (page) => {
  broken.add("/down");
  const endpoint = (await add(page, "/down", "Down", "new_feedback")).split("/").at(-1);
  for (const text of ["one", "two", "three"]) await comment(text);
  const list = `${console_}/failed?endpoint=${endpoint}`;
  await comes(page, list, (page) => page.getByText("3 failed deliveries match."));
  const file = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export" }).click();
  const lines = await (await file).createReadStream();
  let text = "";
  for await (const part of lines) text += part;
  assert.equal(text.trim().split("\n").length, 3);

  // On a phone the box stands above the list.
  for (const { viewport } of [PHONE, WIDE]) {
    await page.setViewportSize(viewport);
    await page.getByRole("checkbox", { name: "Select all of this page" }).check();
    assert.equal(await page.locator("[name=id]:checked").count(), 3);
    await page.getByRole("checkbox", { name: "Select all of this page" }).uncheck();
  }
  await page.getByRole("checkbox", { name: "Select all of this page" }).check();
  await page.getByRole("row").nth(1).getByRole("checkbox").uncheck();
  await page.getByRole("button", { name: "Send selected again" }).click();
  await page.getByText("Sends 2 deliveries again.").waitFor();
  await isClean(page);
  await page.getByRole("button", { name: "Send all 2 again" }).click();
  await page.waitForURL(/\/resends\//);
  // Without a reload by the person.
  await page.getByText("Done", { exact: true }).waitFor();
  await page.getByText("2 of 2").waitFor();
  await isClean(page);
  await page.reload();
  await page.getByText("2 of 2").waitFor();

  await comes(page, list, (page) => page.getByText("3 failed deliveries match."));
  await page.getByRole("button", { name: "Discard all 3" }).click();
  await page.getByText("It cannot be brought back.").waitFor();
  await isClean(page);
  await page.getByRole("button", { name: "Discard all 3" }).click();
  await page.getByText("Done", { exact: true }).waitFor();
  await page.goto(list);
  await page.getByText("No failed delivery matches").waitFor();
});

inConsole("language and theme are chosen and stay", "/overview", {}, async (page) => {
  await page.goto(`${console_}/settings/retry`);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Retry policy" }).waitFor();
  await page.getByRole("button", { name: "Account and appearance" }).click();
  await isClean(page);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Dark" }).waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Account and appearance" }).click();
  await page.getByRole("button", { name: "Dark" }).click();
  await page.locator("html[data-theme=dark]").waitFor({ state: "attached" });
  assert.notEqual(await ground(), light);
  await page.getByRole("button", { name: "Account and appearance" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();
  await isClean(page);
  await page.goto(`${console_}/endpoints`);
  await page.waitForURL(/\/sign-in\?next=/);
});

inConsole("everything works without a script", "/overview", { javaScriptEnabled: false }, async (page) => {
  const endpoint = await add(page, "/ok?plain", "Ohne Skript");
  await page.goto(`${endpoint}/test`);
  await page.getByRole("radio", { name: /widget_dismissed/ }).check();
  await page.getByRole("button", { name: "Anfrage zeigen" }).click();
  await page.getByText("widget_dismissed", { exact: true }).nth(1).waitFor();
  await page.getByRole("button", { name: "Testereignis senden" }).click();
  await page.getByRole("heading", { name: "Zugestellt" }).waitFor();
  await page.goto(endpoint);
  await page.getByRole("button", { name: "Anhalten" }).click();
  await page.getByText("Der Endpunkt ist angehalten.").waitFor();
  await page.getByRole("link", { name: "Endpunkt löschen" }).click();
  await page.getByRole("button", { name: "Endpunkt löschen" }).click();
  await page.getByText("Der Endpunkt ist gelöscht.").waitFor();
});

// Events by the API, as a shop's backend sends them.
const post = async (score) => {
  const data = { customer_id: "cus_9021", email: null, score, product_sku: "BW-440-RED", session_page: "/" };
  const response = await fetch(`${producer}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ event: "rating_submitted", data }),
  });
  assert.equal(response.status, 202, await response.text());
};

for (const colorScheme of ["light", "dark"])
  inConsole(`figures and charts go on by themselves: ${colorScheme}`, "/overview", { colorScheme }, async (page) => {
    const endpoint = await add(page, `/ok?live-${colorScheme}`, `Live ${colorScheme}`);
    await page.getByRole("link", { name: "Zahlen" }).click();
    await page.waitForURL(/overview\?endpoint=ep_/);
    await page.getByText("An ihn wurde noch nichts gesendet.").waitFor();
    await page.getByText("Das Gleiche als Tabelle").click();
    await page.evaluate(() => (window.sameAsBefore = true));
    await post(1);
    await page.locator("#delivered", { hasText: /^1$/ }).waitFor();
    await page.locator(".plot-area path.plot-good").waitFor();
    await post(2);
    await page.locator("#delivered", { hasText: /^2$/ }).waitFor();
    // What a person has opened stays open, and a page is loaded once.
    await page.locator("details table tbody tr").first().waitFor();
    assert.ok(await page.evaluate(() => window.sameAsBefore), "the page was not loaded anew");
    await isClean(page);
    await page.getByRole("link", { name: "7 Tage" }).click();
    await page.waitForURL(/range=7d/);
    await page.locator("#delivered", { hasText: /^2$/ }).waitFor();
    await page.goto(`${console_}/overview?range=24h`);
    await page.locator(".plot-area path.plot-good").waitFor();
    await isClean(page);
    await page.goto(`${endpoint}/delete`);
    await page.getByRole("button", { name: "Endpunkt löschen" }).click();
  });

inConsole("a session that ends is told at once on a page that goes on, and after a form", "/overview", { expected: /EventSource/ }, async (page) => {
  const context = page.context();
  await page.locator("#overview[data-changes]").waitFor();
  // As when it has expired: the browser has the cookie no more. The stream is asked for again.
  await context.clearCookies({ name: "session" });
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await page.waitForURL(/\/sign-in\?next=%2Foverview/);
  await page.getByRole("status").filter({ hasText: "Die Sitzung ist abgelaufen." }).waitFor();
  await isClean(page);
  await signIn(page);
  await page.waitForURL(/\/overview$/);

  await page.goto(`${console_}/endpoints/new`);
  await page.locator("#url").fill("https://example.com/typed");
  await context.clearCookies({ name: "session" });
  await page.locator(".form-end button").click();
  await page.getByRole("status").filter({ hasText: "Die Sitzung ist abgelaufen." }).waitFor();
  await signIn(page);
  await page.waitForURL(/\/endpoints\/new$/);
});

for (const [name, options] of [
  ["wide, light and German", {}],
  ["small, dark and English", { ...PHONE, locale: "en-GB" }],
])
  inConsole(`each page is clean: ${name}`, "/overview", { ...options, expected: /404/ }, async (page) => {
    const endpoint = await add(page, "/ok?clean", `Sehr lang: ${"Bestellsystem".repeat(8)}`);
    const pages = ["/overview", "/deliveries", "/deliveries?state=failed", "/failed", "/failed?reason=expired", "/endpoints", "/endpoints?q=nothing", "/endpoints/new", "/settings/retry", "/settings/audit", "/events", "/api", "/api/operations/createEndpoint", "/api/operations/listFailed", "/api/types/Endpoint", "/nothing"];
    const own = ["", "/edit", "/test", "/rotate", "/delete"];
    for (const url of [...pages.map((path) => `${console_}${path}`), ...own.map((path) => `${endpoint}${path}`)]) {
      await page.goto(url);
      await standsStill(page);
      await isClean(page);
      if (url.includes("/api")) await isReachedByTab(page);
    }
    if (options.viewport) {
      await page.getByRole("button", { name: "Menu" }).click();
      await page.getByRole("link", { name: "Audit log" }).click();
      await page.getByRole("heading", { name: "Audit log" }).waitFor();
    }
  });

visit("nothing moves while a page comes slowly", `${console_}/overview`, WIDE, async (page) => {
  await signIn(page);
  for (const path of ["/deliveries", "/failed", "/endpoints", "/settings/audit", "/events", "/api/types/Endpoint"]) {
    await page.goto(`${slow}${path}`);
    await standsStill(page);
  }
});
