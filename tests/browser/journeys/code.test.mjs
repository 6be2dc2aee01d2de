// From an empty project to a file changed in the browser, and back to git.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { git, open, quiet } from '../support/world.mjs';

let world;
let page;
before(async () => {
  world = await open();
  page = await world.signedIn();
});
after(() => world?.close());

test('an empty project says how to push to it', async () => {
  await page.goto('/projects/new');
  await page.getByLabel('Name', { exact: true }).first().fill('Tide table');
  await page.getByLabel(/^Begin with a README/).uncheck();
  await page.getByRole('button', { name: 'Make project' }).click();
  await page.waitForURL('**/root/tide-table');
  assert.match(await page.textContent('main'), /git (push|remote add)/);
  quiet(page);
});

test('a push fills it', async () => {
  const path = await world.repository('tide-work', {
    'README.md': '# Tide table\n\nWhen the water comes.\n',
    'src/gauge.rs': 'pub fn level(raw: u16) -> f64 {\n    f64::from(raw) / 100.0\n}\n',
  });
  await world.commit(path, { 'src/gauge.rs': 'pub fn level(raw: u16) -> f64 {\n    f64::from(raw) / 10.0\n}\n' }, 'gauge: read decimetres');
  await world.push(path, 'tide-table');
  await page.goto('/root/tide-table');
  assert.match(await page.textContent('main'), /When the water comes\./);
  assert.match(await page.textContent('main'), /gauge: read decimetres/);
  quiet(page);
});

test('folders, files, history, changes and blame are a click away each', async () => {
  await page.goto('/root/tide-table');
  await page.getByRole('main').getByRole('link', { name: 'src', exact: true }).first().click();
  await page.waitForURL('**/-/tree/main/src');
  await page.getByRole('main').getByRole('link', { name: 'gauge.rs', exact: true }).first().click();
  await page.waitForURL('**/-/blob/main/src/gauge.rs');
  assert.match(await page.textContent('main'), /f64::from\(raw\) \/ 10\.0/);

  await page.getByRole('link', { name: 'History' }).first().click();
  await page.waitForURL('**/-/commits/main/src/gauge.rs');
  await page.getByRole('link', { name: 'gauge: read decimetres' }).first().click();
  await page.waitForURL('**/-/commit/*');
  const change = await page.textContent('main');
  assert.match(change, /\/ 100\.0/);
  assert.match(change, /\/ 10\.0/);

  await page.goto('/root/tide-table/-/blob/main/src/gauge.rs');
  await page.getByRole('link', { name: 'Blame' }).first().click();
  await page.waitForURL('**/-/blame/main/src/gauge.rs');
  assert.match(await page.textContent('main'), /Ada Vale|gauge: read decimetres/);
  quiet(page);
});

test('a file edited in the browser is a commit that git fetches', async () => {
  await page.goto('/root/tide-table/-/blob/main/README.md');
  await page.getByRole('link', { name: /^edit/i }).first().click();
  await page.waitForURL('**/-/edit/main/README.md');
  const text = page.locator('textarea').first();
  await text.fill(`${await text.inputValue()}\nAnd when it goes.\n`);
  await page.getByLabel('Message').fill('readme: both ways');
  await page.getByRole('button', { name: 'Commit', exact: true }).click();
  await page.waitForURL('**/-/blob/main/README.md');
  assert.match(await page.textContent('main'), /And when it goes\./);
  quiet(page);

  const path = join(world.folder, 'tide-work');
  await git(['-C', path, 'pull', '-q', world.server.remote('tide-table'), 'main']);
  assert.equal(await git(['-C', path, 'log', '-1', '--format=%s%n%an']), 'readme: both ways\nAdministrator\n');
  await git(['-C', path, 'fsck', '--strict']);
});

test('keys find a file and everything else', async () => {
  await page.goto('/root/tide-table');
  await page.keyboard.press('t');
  await page.waitForURL('**/-/find_file/main');
  await page.keyboard.type('gau');
  await page.getByRole('link', { name: /src\/gauge\.rs/ }).first().click();
  await page.waitForURL('**/-/blob/main/src/gauge.rs');

  await page.keyboard.press('y');
  await page.waitForURL(/\/-\/blob\/[0-9a-f]{40}\/src\/gauge\.rs/);

  await page.keyboard.press('Control+k');
  await page.keyboard.type('tide');
  await page.getByRole('dialog').getByRole('link', { name: /tide/i }).first().waitFor();
  await page.keyboard.press('Escape');
  quiet(page);
});

test('what a person may not see looks as if it were not there', async () => {
  const visitor = await world.visitor();
  const answer = await visitor.goto('/root/tide-table/-/blob/main/README.md');
  assert.ok(answer.status() === 404 || visitor.url().includes('/users/sign_in'), visitor.url());
});
