// Clones and pushes by real git, which does most of the work itself: the ratio says what the server adds.
import { rmSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { alternate } from './fetch.mjs';
import { git } from './git.mjs';
import { median, ratio } from './report.mjs';

const TARGET = 'at least 0.91 times';
const many = (count, each) => Promise.all(Array.from({ length: count }, (_, index) => each(index)));

export async function measureClone({ tidemill, nginx, folder }, note) {
  console.log('Clone');
  for (const [clients, rounds] of [[1, 7], [16, 3]]) {
    const times = await alternate(rounds, [tidemill, nginx], async (server) => {
      const begun = performance.now();
      await many(clients, (n) => git(['clone', '-q', '--bare', server.remote('small'), join(folder, `clone-${n}`)]));
      const took = performance.now() - begun;
      await many(clients, (n) => rmSync(join(folder, `clone-${n}`), { recursive: true, force: true }));
      return took;
    });
    note(ratio(`clone, ${clients} client${clients > 1 ? 's' : ''}`, median(times[0]), median(times[1]), 'time', TARGET));
  }
}

export async function measurePush({ tidemill, nginx, folder }, note) {
  console.log('Push');
  let name = 0;
  for (const [clients, rounds] of [[1, 9], [16, 5]]) {
    const works = await many(clients, (n) => work(join(folder, `push-${clients}-${n}`), tidemill));
    const times = await alternate(rounds, [tidemill, nginx], async (server) => {
      const branches = await many(clients, (n) => commit(works[n], `change-${name++}`));
      const begun = performance.now();
      await many(clients, (n) => git(['-C', works[n], 'push', '-q', server.remote('small'), `HEAD:refs/heads/${branches[n]}`]));
      return performance.now() - begun;
    });
    note(ratio(`push of one commit, ${clients} client${clients > 1 ? 's' : ''}`, median(times[0]), median(times[1]), 'time', TARGET));
  }
}

async function work(path, server) {
  mkdirSync(path);
  await git(['clone', '-q', '--bare', '--single-branch', server.remote('small'), path]);
  return path;
}

// Adds a commit without a work tree and gives the name of its branch.
async function commit(path, name) {
  const blob = (await git(['-C', path, 'hash-object', '-w', '--stdin'], { stdin: 'pipe', input: `${name}\n` })).trim();
  const tree = (await git(['-C', path, 'mktree'], { stdin: 'pipe', input: `100644 blob ${blob}\t${name}\n` })).trim();
  const made = (await git(['-C', path, 'commit-tree', '-p', 'main', '-m', name, tree])).trim();
  await git(['-C', path, 'update-ref', 'refs/heads/pushed', made]);
  await git(['-C', path, 'symbolic-ref', 'HEAD', 'refs/heads/pushed']);
  return name;
}
