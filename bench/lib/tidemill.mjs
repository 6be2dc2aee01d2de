// Tidemill as it is served to people, on a port of its own.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

import { ENVIRONMENT, git, run } from './git.mjs';

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class Tidemill {
  constructor(program, data, options = []) {
    this.program = program;
    this.data = data;
    this.options = options;
    this.child = null;
    this.log = join(dirname(data), 'tidemill.log');
    mkdirSync(data, { recursive: true });
  }

  // Starts it and waits until it says that it is ready; gives the milliseconds from the spawn to there.
  async start() {
    this.port = await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    const ssh = await freePort();
    const log = openSync(this.log, 'a');
    const begun = performance.now();
    this.child = spawn(
      this.program,
      ['serve', '--data', this.data, '--http', `127.0.0.1:${this.port}`, '--ssh', `127.0.0.1:${ssh}`, '--url', this.url, ...this.options],
      { env: ENVIRONMENT, stdio: ['ignore', log, log] },
    );
    let ended;
    const gone = new Promise((_, reject) => {
      ended = (code) => reject(new Error(`tidemill ended with ${code}:\n${readFileSync(this.log)}`));
      this.child.once('error', reject).once('exit', ended);
    });
    const took = await Promise.race([gone, this.#ready(begun)]);
    this.child.off('exit', ended);
    this.password ??= this.#password();
    this.token ??= (await run(this.program, ['admin', 'token', 'create', 'root', '--scopes', 'api,read_repository,write_repository', '--data', this.data])).trim();
    return took;
  }

  async #ready(begun) {
    for (;;) {
      try {
        const answer = await fetch(`${this.url}/-/readiness`);
        if (answer.ok) return performance.now() - begun;
      } catch {
        // It does not listen yet.
      }
      if (performance.now() - begun > 60_000) throw new Error('tidemill was not ready within a minute');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  #password() {
    return readFileSync(join(this.data, 'initial_root_password'), 'utf8').trim();
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.on('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
    this.child = null;
  }

  kill() {
    this.child?.kill('SIGKILL');
  }

  // The resident memory of the process in MB.
  memory() {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(status.match(/VmRSS:\s+(\d+)/)[1]) / 1024;
  }

  remote(name) {
    return `http://root:${this.token}@127.0.0.1:${this.port}/root/${name}.git`;
  }

  // Pushes a repository; the push makes the project.
  async give(name, source) {
    await git(['-C', source, 'push', '-q', '--mirror', this.remote(name)]);
    await this.api('PUT', `/projects/root%2F${name}`, { visibility: 'public' });
  }

  async api(method, path, body) {
    const answer = await fetch(`${this.url}/api/v4${path}`, {
      method,
      headers: { 'PRIVATE-TOKEN': this.token, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return answer.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text;
  }

  // The bare repositories in the data folder.
  repositories(folder = join(this.data, 'repositories')) {
    const found = [];
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      if (existsSync(join(path, 'HEAD')) && existsSync(join(path, 'objects'))) found.push(path);
      else found.push(...this.repositories(path));
    }
    return found;
  }
}
