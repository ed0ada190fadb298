// The picture of the demo shop in README.md, from a quickstart that runs:
//
//   node testcontainers/browser/shop-picture.mjs http://127.0.0.1:8083/shop docs/screenshots/shop.png
import { chromium } from "playwright-core";

const [shop, file] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  chromiumSandbox: false,
});
try {
  const page = await browser.newPage({
    locale: "en-GB",
    reducedMotion: "reduce",
    viewport: { width: 1280, height: 860 },
  });
  await page.goto(shop);
  await page.getByRole("button", { name: "Your opinion" }).click();
  await page.getByRole("radio", { name: "4 of 5 stars" }).check();
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator("#received > .own.here").waitFor();
  await page.getByRole("button", { name: "Close" }).last().click();
  // The panel again, with what is not sent yet.
  await page.getByRole("button", { name: "Your opinion" }).click();
  await page.getByRole("radio", { name: "4 of 5 stars" }).check();
  await page.screenshot({ path: file });
} finally {
  await browser.close();
}
