// The demo shop in a real browser, on a quickstart that runs:
//
//   node testcontainers/browser/shop.mjs http://127.0.0.1:8083/shop
import assert from "node:assert/strict";
import { isClean, visit } from "./browser.mjs";

const shop = process.argv[2] ?? "http://127.0.0.1:8083/shop";

const inShop = (name, options, look) =>
  visit(name, shop, options, async (page) => {
    await page.locator("#link[data-state=live]").waitFor();
    await look(page);
  });

const open = async (page) => {
  await page.getByRole("button", { name: "Ihre Meinung" }).click();
  await page.getByRole("dialog").waitFor();
};
const choose = (page, name) => page.getByRole("radio", { name, exact: true }).check();
const send = (page) => page.getByRole("button", { name: "Absenden" }).click();
const own = (page, event) => page.locator("#received > .own.here", { hasText: event });
const payload = async (row) => JSON.parse(await row.locator("pre").textContent());

inShop("stars become a signed delivery, by keyboard alone", {}, async (page) => {
  const launcher = page.getByRole("button", { name: "Ihre Meinung" });
  await launcher.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  for (let stars = 1; stars < 4; stars++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const row = own(page, "rating_submitted");
  await row.waitFor();
  // A slow machine takes "1.234 ms" or "12,3 Sek.".
  const steps = /angenommen, 202[\d.,]+ (ms|Sek\.).*zugestellt, Antwort200 · [\d.,]+ (ms|Sek\.)/s;
  assert.match(await row.textContent(), steps);
  assert.match(await row.textContent(), /Signatur geprüft: echt/);
  const { id, data } = await payload(row);
  assert.equal(await row.locator(".id code").textContent(), id);
  assert.equal(data.score, 4);
  assert.equal(data.product_sku, "BW-440-RED");
  assert.equal(data.session_page, "/products/BW-440-RED");
  // After an answer, closing is no dismissal, and the focus is where it was.
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.ok(await launcher.evaluate((node) => node.getRootNode().activeElement === node));
  await page.reload();
  await page.locator("#received > li.here").first().waitFor();
  assert.equal(await page.locator("#received > li").first().locator(".event").textContent(), "rating_submitted");
});

inShop("the stars up to the chosen one light up", {}, async (page) => {
  await open(page);
  await choose(page, "4 von 5 Sternen");
  const colours = await page.locator(".rate .pick").evaluateAll((stars) => stars.map((star) => getComputedStyle(star).color));
  assert.equal(new Set(colours.slice(0, 4)).size, 1, `${colours}`);
  assert.notEqual(colours[4], colours[3]);
});

for (const [score, segment] of [[0, "Detractor"], [6, "Detractor"], [7, "Passive"], [8, "Passive"], [9, "Promoter"], [10, "Promoter"]])
  inShop(`${score} of 10 is a ${segment}`, {}, async (page) => {
    await open(page);
    await choose(page, "Empfehlung");
    await choose(page, `${score}`);
    await send(page);
    await own(page, "nps_calculated").waitFor();
    const { data } = await payload(own(page, "nps_calculated"));
    assert.equal(data.segment, segment);
    assert.match(data.response_id, /^nps_[0-9a-f-]{36}$/);
  });

inShop("a hostile comment stays text everywhere", {}, async (page) => {
  const hostile = `</pre><img src=x onerror="document.title='taken'"><script>document.title='taken'</script> "'&amp; \u202e`;
  await open(page);
  await choose(page, "Kommentar");
  await page.getByLabel("Was können wir besser machen?").fill(hostile);
  await page.getByLabel("E-Mail für eine Antwort (freiwillig)").fill("anna.mueller@webshop.de");
  await send(page);
  const row = own(page, "new_feedback");
  await row.waitFor();
  const { data } = await payload(row);
  assert.equal(data.comment, hostile);
  assert.equal(data.browser_locale, "de-DE");
  assert.ok(Number.isInteger(data.session_duration_seconds));
  assert.equal(await page.locator("#received img, #received script").count(), 0);
  assert.match(await page.title(), /Bergwald Kontor/);
  // Also for who comes later, from the feed alone.
  await page.reload();
  await page.locator("#received > li.here", { hasText: "onerror" }).first().waitFor({ state: "attached" });
  assert.equal(await page.locator("#received img, #received script").count(), 0);
});

inShop("Escape dismisses, once", {}, async (page) => {
  await open(page);
  await page.keyboard.press("Escape");
  await own(page, "widget_dismissed").waitFor();
  const { data } = await payload(own(page, "widget_dismissed"));
  assert.equal(data.product_sku, "BW-440-RED");
  assert.equal(await page.locator("#received > .own").count(), 1);
});

inShop("a page that is left with the panel open sends a beacon", {}, async (page) => {
  const newest = () => page.locator("#received > li .id code").first().textContent();
  await page.locator("#received > li").first().waitFor();
  const before = await newest();
  await open(page);
  await page.goto("about:blank");
  await page.goto(shop);
  await page.waitForFunction(
    (before) => {
      const row = document.querySelector("#received > li");
      const id = row?.querySelector(".id code").textContent;
      return id && id !== before && row.querySelector(".event").textContent === "widget_dismissed";
    },
    before,
  );
});

// Instead of a broken network: what the widget's first two requests meet.
const stumbling = () => {
  const real = window.fetch;
  window.keys = [];
  window.fetch = (url, request) => {
    if (request?.method !== "POST") return real(url, request);
    const call = window.keys.push([request.headers["Idempotency-Key"], request.body]);
    if (call === 1) return Promise.reject(new TypeError("no network"));
    const headers = { "Retry-After": "1", "Content-Type": "application/problem+json" };
    if (call === 2) return Promise.resolve(new Response('{"detail":"full"}', { status: 503, headers }));
    return real(url, request);
  };
};
inShop("after a network failure and a 503 the same event goes out again", { script: stumbling }, async (page) => {
  await open(page);
  await choose(page, "5 von 5 Sternen");
  await send(page);
  await page.getByText("Wird wiederholt …").waitFor();
  await own(page, "rating_submitted").waitFor();
  const sent = await page.evaluate(() => window.keys);
  assert.equal(sent.length, 3);
  assert.deepEqual(sent[1], sent[0]);
  assert.deepEqual(sent[2], sent[0]);
  assert.equal(await page.locator("#received > .own").count(), 1);
});

const refusals = { expected: /422/ };
inShop("what the producer says of a refusal is shown, and nothing is lost", refusals, async (page) => {
  await open(page);
  await choose(page, "Kommentar");
  await page.getByLabel("Was können wir besser machen?").fill("Danke!");
  // The browser takes it for an address, the producer does not.
  await page.getByLabel("E-Mail für eine Antwort (freiwillig)").fill(`${"a".repeat(70)}@shop.de`);
  await send(page);
  await page.getByRole("dialog").getByText("Nicht angenommen (422): $.data.email").waitFor();
  await isClean(page);
  assert.match(await page.locator("#received > .own").textContent(), /nicht angenommen.*\$\.data\.email/s);
  await page.getByLabel("E-Mail für eine Antwort (freiwillig)").fill("");
  await send(page);
  await own(page, "new_feedback").waitFor();
});

for (const colorScheme of ["light", "dark"])
  for (const width of [1280, 390])
    inShop(`axe finds nothing: ${colorScheme}, ${width} px`, { colorScheme, viewport: { width, height: 844 } }, async (page) => {
      await page.locator("#received > li").first().waitFor();
      await isClean(page);
      await open(page);
      for (const part of ["Bewertung", "Empfehlung", "Kommentar"]) {
        await choose(page, part);
        await isClean(page);
      }
      await choose(page, "Bewertung");
      await choose(page, "1 von 5 Sternen");
      await send(page);
      await own(page, "rating_submitted").waitFor();
      await isClean(page);
    });

inShop("who prefers English reads English", { locale: "en-GB" }, async (page) => {
  assert.equal(await page.getAttribute("html", "lang"), "en");
  await page.getByRole("button", { name: "Your opinion" }).click();
  await page.getByText("How do you like this product?").waitFor();
  await isClean(page);
});
