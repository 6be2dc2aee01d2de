// A server with something to look at, and a browser that notices what pages must not do.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import axe from 'axe-core';
import { chromium } from 'playwright-core';

import { git } from '../../../bench/lib/git.mjs';
import { Tidemill } from '../../../bench/lib/tidemill.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export { git };

// A server of its own with an empty data folder, and a browser.
export async function open() {
  const program = process.env.TIDEMILL ?? join(ROOT, 'target/debug/tidemill');
  assert.ok(existsSync(program), `${program} is not there; cargo build --workspace --bins`);
  const folder = mkdtempSync(join(tmpdir(), 'tidemill-browser-'));
  const server = new Tidemill(program, join(folder, 'data'));
  const world = new World(folder, server);
  try {
    await server.start();
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
    world.browser = await chromium.launch({ executablePath, args: FLAGS });
  } catch (error) {
    await world.close();
    throw error;
  }
  return world;
}

export class World {
  constructor(folder, server) {
    this.folder = folder;
    this.server = server;
  }

  get url() {
    return this.server.url;
  }

  async close() {
    await this.browser?.close();
    this.server.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  // What the server logged, for the message of a failed test.
  log() {
    return readFileSync(this.server.log, 'utf8').split('\n').slice(-40).join('\n');
  }

  // A page of somebody who is not signed in.
  async visitor({ scheme = 'light', width = 1280, height = 900, motion = 'no-preference', javaScript = true } = {}) {
    const context = await this.browser.newContext({
      baseURL: this.url, colorScheme: scheme, reducedMotion: motion, viewport: { width, height }, javaScriptEnabled: javaScript,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.faults = [];
    page.on('console', (message) => {
      if (message.type() === 'error') page.faults.push(`${page.url()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => page.faults.push(`${page.url()}: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 500) page.faults.push(`${response.url()} answered ${response.status()}`);
    });
    return page;
  }

  // A page of somebody who signed in through the form.
  async signedIn(options = {}, user = 'root', password = this.server.password) {
    const page = await this.visitor(options);
    await signIn(page, user, password);
    return page;
  }

  // A work tree with these files in one commit.
  async repository(name, files) {
    const path = join(this.folder, name);
    await git(['init', '-q', '-b', 'main', path]);
    await this.commit(path, files, 'Begin');
    return path;
  }

  async commit(path, files, message) {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), text);
    }
    await git(['-C', path, 'add', '-A']);
    await git(['-C', path, 'commit', '-q', '-m', message]);
  }

  async push(path, project, ...refs) {
    await git(['-C', path, 'push', '-q', this.server.remote(project), ...(refs.length ? refs : ['main'])]);
  }

  // The pushed project that most journeys look at.
  async sample(name = 'sample') {
    const path = await this.repository(`${name}-work`, SAMPLE);
    await this.commit(path, { 'src/gauge.rs': `${SAMPLE['src/gauge.rs']}\n// The tide turns.\n` }, 'gauge: say when the tide turns');
    await git(['-C', path, 'tag', '-a', 'v1.0', '-m', 'The first']);
    await git(['-C', path, 'branch', 'topic']);
    await this.push(path, name, 'main', 'topic', 'v1.0');
    return path;
  }
}

export const SAMPLE = {
  'README.md': '# Sample\n\nA *project* to look at.\n\n- [x] pushed\n- [ ] finished\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```rust\nfn main() {}\n```\n',
  LICENSE: 'To be chosen.\n',
  'src/gauge.rs': '//! Reads the gauge.\n\n/// The level in metres.\npub fn level(raw: u16) -> f64 {\n    f64::from(raw) / 100.0\n}\n',
  'docs/levels.csv': 'place,metres\nNorth,1.2\nSouth,0.8\n',
  'docs/guide.md': '# Guide\n\nSee the [readme](../README.md).\n',
};

export async function signIn(page, user, password) {
  await page.goto('/users/sign_in');
  await page.getByLabel(/username|email/i).first().fill(user);
  await page.getByLabel(/^password/i).first().fill(password);
  await page.getByRole('button', { name: /^sign in/i }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/users/sign_in'));
}

// Fails if the page broke a rule of its content security policy, threw, or was answered with a 5xx.
export function quiet(page, allowed = []) {
  const faults = page.faults.filter((fault) => !allowed.some((pattern) => pattern.test(fault)));
  assert.deepEqual(faults, []);
}

// WCAG 2.5.8 lets targets be smaller whose size is given by the line height of text: line numbers, links within a line.
function withinText(node) {
  return /^<a [^>]*data-n=/.test(node.html) || node.target.some((target) => /\.meta\b/.test(target));
}

// Fails where axe finds something; the message says what and where.
export async function accessible(page, name) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  const wrong = violations
    .map((v) => ({ ...v, nodes: v.nodes.filter((node) => !(v.id === 'target-size' && withinText(node))) }))
    .filter((v) => v.nodes.length > 0);
  const found = wrong.map((v) => `${v.id} (${v.impact}): ${v.help}\n    ${v.nodes.slice(0, 4).map((n) => `${n.target} ${n.html.slice(0, 160)}`).join('\n    ')}`);
  assert.equal(found.length, 0, `${name}:\n  ${found.join('\n  ')}`);
}
