// What the browser tests share. Each of them is a file of node:test that gets its
// URLs as arguments; e2e::browser (testcontainers/src/browser.rs) runs it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { chromium } from "playwright-core";

// How long a page may take to show what is waited for, in milliseconds.
const DEADLINE = 15_000;
const TEST_DEADLINE = 60_000;

let browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"],
    // Root has no sandbox; a container none that chromium may use.
    chromiumSandbox: false,
  });
});
after(() => browser.close());

// A test of one page, in a browser context of its own with Playwright's `options`. Beside
// these, `script` runs before the page's own scripts. Whatever the browser complains of
// fails the test, but for what `expected` matches.
export const visit = (name, url, { script, expected, ...options }, look) =>
  test(name, { timeout: TEST_DEADLINE }, async () => {
    const context = await browser.newContext({ locale: "de-DE", reducedMotion: "reduce", ...options });
    const complaints = [];
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(DEADLINE);
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("console", (said) => said.type() === "error" && complaints.push(said.text()));
      if (script) await page.addInitScript(script);
      await page.goto(url);
      await look(page);
      assert.deepEqual(complaints.filter((it) => !expected?.test(it)), []);
    } finally {
      await context.close();
    }
  });

// The words of tables that do not stand on one line. Ids and URLs are longer than words,
// and may.
const brokenWords = () => {
  const broken = [];
  for (const cell of document.querySelectorAll("th, td")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode())
      for (const { 0: word, index } of texts.currentNode.data.matchAll(/(?<!\S)[^\s-]{1,24}(?!\S)/g)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, index);
        range.setEnd(texts.currentNode, index + word.length);
        const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
        if (lines.size > 1) broken.push(word);
      }
  }
  return broken;
};

// axe finds nothing in what the page shows now, nothing scrolls sideways, and no table is
// so narrow that its words are broken.
export const isClean = async (page) => {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  assert.deepEqual(violations.map((it) => [it.id, it.nodes.map((node) => node.html)]), []);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.ok(!tooWide, "the page scrolls sideways");
  assert.deepEqual(await page.evaluate(brokenWords), [], "words of a table are broken");
};

// Nothing has moved by itself since the page came: the browser's own measure.
export const standsStill = async (page) => {
  const moved = await page.evaluate(
    () =>
      new Promise((done) => {
        const said = [];
        const note = (list) => {
          for (const shift of list.getEntries().filter((it) => !it.hadRecentInput))
            said.push([shift.value, ...shift.sources.map((it) => it.node?.outerHTML?.slice(0, 200))]);
        };
        const watch = new PerformanceObserver(note);
        watch.observe({ type: "layout-shift", buffered: true });
        // What is buffered comes before the frame after the next.
        requestAnimationFrame(() => requestAnimationFrame(() => done(said)));
      }),
  );
  assert.deepEqual(moved, [], "something moved by itself");
};

// Tab goes through everything that can be used, in the order of reading, shows where it
// is, and gets out again.
export const isReachedByTab = async (page) => {
  const count = await page.evaluate(() => {
    const usable = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary";
    const all = [...document.querySelectorAll(usable)];
    window.usable = all.filter((it) => it.tabIndex >= 0 && it.checkVisibility({ visibilityProperty: true }));
    return window.usable.length;
  });
  const reached = [];
  for (;;) {
    await page.keyboard.press("Tab");
    const [at, shown, outside] = await page.evaluate(() => {
      const it = document.activeElement;
      return [window.usable.indexOf(it), getComputedStyle(it).outlineStyle !== "none", it === document.body];
    });
    if (outside || reached.length > count) break;
    // What scrolls can be reached, too, and is nothing to be used.
    if (at < 0) continue;
    assert.ok(shown, `${await page.evaluate(() => document.activeElement.outerHTML)} does not show that it is reached`);
    reached.push(at);
  }
  assert.deepEqual(reached, [...Array(count).keys()]);
};
