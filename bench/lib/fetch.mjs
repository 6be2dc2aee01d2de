// A fetch that finds nothing new: what a CI fleet and every IDE ask all day.
import { join } from 'node:path';

import { git } from './git.mjs';
import { Connection, request } from './http.mjs';
import { median, ratio } from './report.mjs';

const packet = (text) => (text.length + 4).toString(16).padStart(4, '0') + text;
// What git 2.39 sends for `git fetch` in protocol 2, first for the capabilities and then for the branches and tags.
const LS_REFS =
  packet('command=ls-refs\n') + packet('agent=git/2.39.5') + packet('object-format=sha1') + '0001' +
  packet('peel\n') + packet('symrefs\n') + packet('ref-prefix refs/heads/\n') + packet('ref-prefix refs/tags/\n') + '0000';

export async function measureFetch({ tidemill, nginx, folder }, note) {
  console.log('Fetch with nothing new');
  for (const clients of [1, 16]) {
    const rates = await alternate(5, [tidemill, nginx], (server) => rate(server.port, clients, 2000));
    note(ratio(`no-op fetch, ${clients} client${clients > 1 ? 's' : ''}`, median(rates[0]), median(rates[1]), 'rate', 'at least 5 times'));
  }
  const times = await alternate(9, [tidemill, nginx], (server, index) => gitFetch(server, join(folder, `noop-${index}`)));
  note(ratio('`git fetch` with nothing new, the client included', median(times[0]), median(times[1]), 'time'));
}

// Measures the servers in turn, so that what else the machine does meets both.
export async function alternate(rounds, servers, measure) {
  const results = servers.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, server] of servers.entries()) results[index].push(await measure(server, index, round));
  }
  return results;
}

// Fetches per second: one request for the capabilities and one for the refs each.
async function rate(port, clients, milliseconds) {
  const advertise = request('GET', '/root/small.git/info/refs?service=git-upload-pack', port, { 'git-protocol': 'version=2' });
  const refs = request('POST', '/root/small.git/git-upload-pack', port, {
    'git-protocol': 'version=2',
    'content-type': 'application/x-git-upload-pack-request',
    accept: 'application/x-git-upload-pack-result',
  }, LS_REFS);
  let done = 0;
  const begun = performance.now();
  const until = begun + milliseconds;
  const client = async () => {
    const connection = await new Connection(port).open();
    while (performance.now() < until) {
      expect(await connection.send(advertise), 'version 2');
      expect(await connection.send(refs), 'refs/heads/main');
      done++;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (done * 1000) / (performance.now() - begun);
}

function expect(answer, text) {
  if (answer.status !== 200 || !answer.body.includes(text)) throw new Error(`an answer of ${answer.status} without ${text}:\n${answer.body}`);
}

const cloned = new Set();

async function gitFetch(server, path) {
  if (!cloned.has(path)) {
    await git(['clone', '-q', '--bare', server.remote('small'), path]);
    cloned.add(path);
  }
  const begun = performance.now();
  await git(['-C', path, 'fetch', '-q', 'origin']);
  return performance.now() - begun;
}
