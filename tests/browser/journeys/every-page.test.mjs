// What holds for every page: axe finds nothing, in light and dark, wide and narrow; the console stays quiet; nothing scrolls sideways.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { pages, prepare } from '../support/pages.mjs';
import { accessible, open, quiet } from '../support/world.mjs';

let world;
let known;
before(async () => {
  world = await open();
  known = await prepare(world);
});
after(() => world?.close());

for (const [width, scheme] of [[1280, 'light'], [1280, 'dark'], [390, 'light']]) {
  describe(`at ${width} pixels, ${scheme}`, () => {
    let members;
    let visitors;
    before(async () => {
      members = await world.signedIn({ width, scheme });
      visitors = await world.visitor({ width, scheme });
    });
    for (const { name, visitor } of pages({})) {
      test(name, async () => {
        const { path } = pages(known).find((page) => page.name === name);
        const page = visitor ? visitors : members;
        page.faults.length = 0;
        const answer = await page.goto(path);
        assert.equal(answer.status(), name === 'not-found' ? 404 : 200, path);
        await accessible(page, `${name} (${path})`);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(sideways <= 1, `${path} is ${sideways} pixels wider than the window`);
        quiet(page, name === 'not-found' ? [/404/] : []);
      });
    }
  });
}

test('nothing moves for those who asked for less motion', async () => {
  const page = await world.signedIn({ motion: 'reduce' });
  for (const path of ['/root/sample', `/root/piped/-/pipelines/${known.pipeline}`]) {
    await page.goto(path);
    const moving = await page.evaluate(() =>
      document.getAnimations().filter((a) => a.playState === 'running' && a.effect.getComputedTiming().duration > 10).length,
    );
    assert.equal(moving, 0, path);
    const lengths = await page.evaluate(() =>
      [...document.querySelectorAll('body *')].flatMap((e) => getComputedStyle(e).transitionDuration.split(',')).map(parseFloat),
    );
    assert.ok(Math.max(...lengths) <= 0.01, path);
  }
});
