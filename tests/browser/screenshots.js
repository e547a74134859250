// Pictures of the page for the README: light, dark, and on a narrow screen. `scripts/screenshots` starts this.

import { join } from "node:path";
import { article, launch, read, serve } from "./support.js";

const [directory] = process.argv.slice(2);
const wide = { width: 1280, height: 800 };
const VIEWS = {
  light: { viewport: wide, colorScheme: "light" },
  dark: { viewport: wide, colorScheme: "dark" },
  mobile: { viewport: { width: 390, height: 800 }, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true },
};

const server = await serve("--port", "0");
const browser = await launch();
try {
  for (const [name, options] of Object.entries(VIEWS)) {
    const page = await browser.newPage({ ...options, reducedMotion: "reduce" });
    await page.goto(server.url);
    await read(page, article("council"));
    if (name === "light") await page.hover("#article .source >> text=Councillor");
    if (name === "dark") await page.locator("#people-list [data-statement]", { hasText: "somewhat above" }).click();
    if (name === "mobile") {
      await page.tap("#view-people");
      await page.locator("#people-list [data-statement]", { hasText: "somewhat above" }).tap();
    }
    await page.screenshot({ path: join(directory, `page-${name}.png`) });
    await page.close();
  }
} finally {
  await browser.close();
  await server.stop();
}
