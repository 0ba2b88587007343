/** The golden story in headless Chromium: the same bytes as in Node (machine.md §4, I36). */
import { existsSync, readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { OWN_ENGINE_NAMES } from '../../emu/arch/engine.ts';
import type {} from '../../src/lab/probe.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);
const golden = (name: string): string =>
  readFileSync(new URL(`../golden/data/${name}`, import.meta.url), 'utf8');
const BUNDLE = new URL('../../dist/lab-probe.js', import.meta.url);

// Skipped where no Chromium is installed: the page's tier needs a real browser.
describe.skipIf(CHROMIUM === undefined)('in headless Chromium', () => {
  it.each(OWN_ENGINE_NAMES)('the story prints and traces the golden bytes on the %s', async (engine) => {
    const browser = await chromium.launch({
      executablePath: CHROMIUM!,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    try {
      const page = await browser.newPage();
      await page.addScriptTag({ content: readFileSync(BUNDLE, 'utf8'), type: 'module' });
      await page.waitForFunction(() => window.physmemProbe !== undefined);
      const result = await page.evaluate((name) => window.physmemProbe(name), engine);
      expect(result.status).toBe(0);
      expect(result.translated > 10_000).toBe(engine === 'translator');
      expect(result.console.split('\n')).toEqual(golden('story.console.txt').split('\n'));
      expect(result.trace.split('\n')).toEqual(golden('story.trace.jsonl').split('\n'));
    } finally {
      await browser.close();
    }
  });
});
