// Pictures of every page into target/shots: two widths, light and dark. For looking at, not for comparing by machine.
//   npm --prefix tests/browser run shots            all pages
//   npm --prefix tests/browser run shots -- blob    only those whose name has "blob" in it
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { pages, prepare } from './support/pages.mjs';
import { open } from './support/world.mjs';

const target = fileURLToPath(new URL('../../target/shots', import.meta.url));
const wanted = process.argv.slice(2);
mkdirSync(target, { recursive: true });
const world = await open();
try {
  const known = await prepare(world);
  for (const width of [1280, 390]) {
    for (const scheme of ['light', 'dark']) {
      const members = await world.signedIn({ width, scheme });
      const visitors = await world.visitor({ width, scheme });
      for (const { name, path, visitor } of pages(known)) {
        if (wanted.length && !wanted.some((part) => name.includes(part))) continue;
        const page = visitor ? visitors : members;
        const answer = await page.goto(path);
        await page.waitForTimeout(150);
        await page.screenshot({ path: join(target, `${name}-${width}-${scheme}.png`), fullPage: true });
        if (answer.status() >= 400 && name !== 'not-found') console.log(`${name}: ${path} answered ${answer.status()}`);
      }
      for (const page of [members, visitors]) {
        page.faults.filter((fault) => !fault.includes('404')).forEach((fault) => console.log(fault));
        await page.context().close();
      }
    }
  }
  console.log(`The pictures are in ${target}`);
} finally {
  await world.close();
}
