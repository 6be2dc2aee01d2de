// A pipeline, watched while it runs: nothing is reloaded by hand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { open, quiet } from '../support/world.mjs';

const CI = `stages: [build, test]
slow:
  stage: build
  script:
    - echo "tick 1"
    - sleep 3
    - echo "tick 2"
after:
  stage: test
  script: ["echo done"]
by hand:
  stage: test
  when: manual
  script: ["echo played"]
`;

let world;
let page;
before(async () => {
  world = await open();
  page = await world.signedIn();
  const path = await world.repository('ticks-work', { 'README.md': '# Ticks\n', '.gitlab-ci.yml': CI });
  await world.push(path, 'ticks');
});
after(() => world?.close());

test('the log arrives while the job runs, and its end is seen', async () => {
  const { server } = world;
  const slow = await until(async () => {
    const jobs = await server.api('GET', '/projects/root%2Fticks/jobs');
    return jobs.find((job) => job.name === 'slow' && job.status !== 'pending' && job.status !== 'created');
  });
  await page.goto(`/root/ticks/-/jobs/${slow.id}`);
  const marker = await page.evaluate(() => (globalThis.notReloaded = Math.random()));
  await page.getByText('tick 1', { exact: true }).waitFor();
  await page.getByText('tick 2', { exact: true }).waitFor();
  await page.getByText(/^passed$/i).first().waitFor();
  assert.equal(await page.evaluate(() => globalThis.notReloaded), marker, 'the page was reloaded');
  quiet(page);
});

test('the pipeline shows its jobs, and a manual one can be played', async () => {
  await page.goto('/root/ticks/-/pipelines');
  await page.getByRole('main').getByRole('link', { name: 'Begin', exact: true }).first().click();
  await page.waitForURL('**/-/pipelines/*');
  for (const job of ['slow', 'after', 'by hand']) {
    await page.getByRole('link', { name: new RegExp(job) }).first().waitFor();
  }
  await page.getByRole('link', { name: /by hand/ }).first().click();
  await page.waitForURL('**/-/jobs/*');
  await page.getByRole('button', { name: /^(play|run|start)/i }).first().click();
  await page.getByText('played', { exact: true }).first().waitFor();
  quiet(page);
});

test('the commit and the project show that it passed', async () => {
  await page.goto('/root/ticks');
  await page.getByRole('main').getByRole('link', { name: /passed/i }).first().waitFor();
  quiet(page);
});

test('a finished log is complete without JavaScript', async () => {
  const plain = await world.signedIn({ javaScript: false });
  const jobs = await world.server.api('GET', '/projects/root%2Fticks/jobs');
  await plain.goto(`/root/ticks/-/jobs/${jobs.find((job) => job.name === 'slow').id}`);
  assert.match(await plain.textContent('main'), /tick 1[\s\S]*tick 2/);
});

async function until(look) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not happen within 10 seconds');
}
