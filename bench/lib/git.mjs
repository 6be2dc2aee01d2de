// Real git, with nothing of the machine's own configuration.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

export const ENVIRONMENT = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Ada Vale',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada Vale',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
};

// Runs a program to its end and gives what it printed.
export function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: ENVIRONMENT, stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'], ...options });
    const out = [];
    const err = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    if (options.input !== undefined) child.stdin.end(options.input);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString());
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${Buffer.concat(err)}`));
    });
  });
}

export const git = (args, options) => run('git', args, options);

// Makes a bare repository with a generated history.
export async function generate(folder, name, commits) {
  const path = join(folder, 'sources', `${name}.git`);
  mkdirSync(join(folder, 'sources'), { recursive: true });
  if (existsSync(path)) return path;
  await git(['init', '-q', '--bare', '-b', 'main', path]);
  await new Promise((resolve, reject) => {
    const writer = spawn('python3', [new URL('../generate.py', import.meta.url).pathname, String(commits)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const reader = spawn('git', ['-C', path, 'fast-import', '--quiet', '--done'], {
      env: ENVIRONMENT,
      stdio: [writer.stdout, 'ignore', 'inherit'],
    });
    reader.on('error', reject);
    reader.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`fast-import ended with ${code}`))));
  });
  await git(['-C', path, 'repack', '-adq']);
  return path;
}
