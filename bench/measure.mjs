// The measurements, in order. See run.
import { rmSync, mkdtempSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir, cpus } from 'node:os';
import { join } from 'node:path';

import { Nginx } from './lib/nginx.mjs';
import { Tidemill } from './lib/tidemill.mjs';
import { generate, git } from './lib/git.mjs';
import { table, version } from './lib/report.mjs';
import { measureStart } from './lib/start.mjs';
import { measureFetch } from './lib/fetch.mjs';
import { measureClone, measurePush } from './lib/transfer.mjs';
import { measurePages } from './lib/pages.mjs';
import { measurePipeline } from './lib/pipeline.mjs';

const PARTS = ['start', 'fetch', 'clone', 'push', 'pages', 'pipeline'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((part) => !PARTS.includes(part));
if (unknown.length) {
  console.error(`bench/run: there is no part ${unknown.join(', ')}; the parts are ${PARTS.join(' ')}`);
  process.exit(1);
}
const does = (part) => wanted.length === 0 || wanted.includes(part);
const commits = Number(process.env.COMMITS ?? 50_000);
const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'tidemill-bench-'));
const started = [];
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => {
  for (const server of started) server.kill();
  rmSync(folder, { recursive: true, force: true });
});

const rows = [];
const note = (row) => {
  rows.push(row);
  console.log(`  ${row.what}: ${row.text}`);
};

console.log(`On ${cpus().length} cores (${cpus()[0].model}), ${await version('git', ['--version'])}, ${await version(process.env.TIDEMILL, ['--version'])}`);
console.log('Generating the repositories');
const small = await generate(folder, 'small', Math.min(5000, commits));
const large = does('pages') ? await generate(folder, 'large', commits) : null;

const tidemill = new Tidemill(process.env.TIDEMILL, join(folder, 'tidemill'));
started.push(tidemill);
if (does('start')) await measureStart(tidemill, note);
await tidemill.start();
const nginx = new Nginx(join(folder, 'nginx'));
started.push(nginx);
await nginx.start();

console.log('Pushing the repositories to both');
await tidemill.give('small', small);
await nginx.give('small', small);
if (large) await tidemill.give('large', large);
// Both sides are measured with what their housekeeping leaves behind: bitmaps, commit-graph, one pack.
for (const repository of tidemill.repositories()) await housekeep(repository);
for (const repository of nginx.repositories()) await housekeep(repository);

const pair = { tidemill, nginx, folder };
if (does('fetch')) await measureFetch(pair, note);
if (does('clone')) await measureClone(pair, note);
if (does('push')) await measurePush(pair, note);
if (does('pages')) await measurePages(tidemill, note);
if (does('pipeline')) await measurePipeline(tidemill, folder, note);

const report = table(rows);
console.log(`\n${report}`);
mkdirSync('target', { recursive: true });
writeFileSync('target/bench.md', `${report}\n`);
console.log('The table is in target/bench.md');
process.exit(0);

async function housekeep(repository) {
  await git(['-C', repository, 'repack', '-adbq']);
  await git(['-C', repository, 'pack-refs', '--all']);
  await git(['-C', repository, 'commit-graph', 'write', '--reachable', '--changed-paths', '--no-progress']);
}
