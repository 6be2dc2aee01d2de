// Registering, signing in and out, and what an account needs to begin with.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { git, open, quiet, signIn } from '../support/world.mjs';

let world;
before(async () => (world = await open()));
after(() => world?.close());

test('the first administrator signs in and out', async () => {
  const page = await world.visitor();
  await signIn(page, 'root', world.server.password);
  await page.goto('/');
  await page.getByRole('button', { name: 'Account of root' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/users/sign_in');
  assert.match(await page.textContent('body'), /You have signed out/);
  quiet(page);
});

test('a wrong password is refused with a sentence that helps', async () => {
  const page = await world.visitor();
  await page.goto('/users/sign_in');
  await page.getByLabel('Username or email').fill('root');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  assert.match(await page.textContent('body'), /name or the password is wrong/);
  assert.equal(await page.getByLabel('Username or email').inputValue(), 'root');
  quiet(page, [/status of 401/]);
});

test('somebody registers and makes a token that git accepts', async () => {
  const page = await world.visitor();
  await page.goto('/users/sign_in');
  await page.getByRole('link', { name: 'Register' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill('Mira Sand');
  await page.getByLabel('Username').fill('mira');
  await page.getByLabel('Email').fill('mira@example.org');
  await page.getByLabel('Password').fill('a long enough password');
  await page.getByRole('button', { name: 'Register' }).click();
  await page.getByText('Welcome to Tidemill.').waitFor();

  await page.goto('/-/user_settings/personal_access_tokens');
  await page.getByLabel('Name', { exact: true }).fill('laptop');
  await page.getByLabel('api', { exact: false }).first().check();
  await page.getByRole('button', { name: 'Create token' }).click();
  const token = (await page.textContent('main')).match(/tmpat-[A-Za-z0-9]{20}/)[0];
  quiet(page);

  const path = await world.repository('mira-work', { 'README.md': '# Of Mira\n' });
  await git(['-C', path, 'push', '-q', `http://mira:${token}@127.0.0.1:${world.server.port}/mira/first.git`, 'main']);
  await page.goto('/mira/first');
  assert.match(await page.textContent('main'), /Of Mira/);
  quiet(page);
});

test('signing in works without JavaScript and leads to what was asked for', async () => {
  const page = await world.visitor({ javaScript: false });
  await page.goto('/-/user_settings/profile');
  assert.match(page.url(), /\/users\/sign_in\?redirect_to=/);
  await page.getByLabel('Username or email').fill('root');
  await page.getByLabel('Password').fill(world.server.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL('**/-/user_settings/profile');
});
