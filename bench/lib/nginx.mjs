// `git http-backend` as the manual of git describes it: nginx, fcgiwrap, one bare repository per name.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, userInfo } from 'node:os';
import { join } from 'node:path';

import { ENVIRONMENT, git, run } from './git.mjs';
import { freePort } from './tidemill.mjs';

const PASSWORD = 'measure';

export class Nginx {
  constructor(folder) {
    this.folder = folder;
    this.children = [];
    mkdirSync(join(folder, 'repositories'), { recursive: true });
  }

  async start() {
    this.port = await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    const socket = join(this.folder, 'fcgi.sock');
    const backend = join((await run('git', ['--exec-path'])).trim(), 'git-http-backend');
    // Pushes ask for a password as Tidemill's do, so that both cost the same number of requests.
    writeFileSync(join(this.folder, 'users'), `root:{SHA}${createHash('sha1').update(PASSWORD).digest('base64')}\n`);
    writeFileSync(join(this.folder, 'nginx.conf'), this.#configuration(socket, backend));
    this.#spawn('fcgiwrap', ['-c', '16', '-s', `unix:${socket}`]);
    await until(() => existsSync(socket));
    this.#spawn('nginx', ['-p', this.folder, '-c', join(this.folder, 'nginx.conf'), '-e', join(this.folder, 'error.log')]);
    await until(() => fetch(this.url).then(() => true, () => false));
  }

  #spawn(program, args) {
    const child = spawn(program, args, { env: ENVIRONMENT, stdio: 'ignore', detached: true });
    this.children.push(child);
  }

  #configuration(socket, backend) {
    const user = process.getuid() === 0 ? `user ${userInfo().username};` : '';
    return `
daemon off; master_process on; pid ${this.folder}/pid; error_log ${this.folder}/error.log; ${user}
worker_processes ${cpus().length};
events { worker_connections 512; }
http {
  access_log off; client_max_body_size 0; keepalive_requests 1000000; sendfile on; tcp_nopush on;
  client_body_temp_path ${this.folder}/body; fastcgi_temp_path ${this.folder}/fastcgi; proxy_temp_path ${this.folder}/proxy;
  uwsgi_temp_path ${this.folder}/uwsgi; scgi_temp_path ${this.folder}/scgi;
  map "$arg_service:$uri" $realm { default off; "~git-receive-pack" "repositories"; }
  server {
    listen 127.0.0.1:${this.port};
    location = / { return 204; }
    location / {
      auth_basic $realm; auth_basic_user_file ${this.folder}/users;
      fastcgi_pass unix:${socket}; fastcgi_buffering off;
      fastcgi_param SCRIPT_FILENAME ${backend};
      fastcgi_param GIT_PROJECT_ROOT ${this.folder}/repositories;
      fastcgi_param GIT_HTTP_EXPORT_ALL 1; fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param PATH_INFO $uri; fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method; fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length; fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
    }
  }
}
`;
  }

  kill() {
    for (const child of this.children) {
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It has ended already.
      }
    }
  }

  remote(name) {
    return `http://root:${PASSWORD}@127.0.0.1:${this.port}/root/${name}.git`;
  }

  async give(name, source) {
    const path = join(this.folder, 'repositories', 'root', `${name}.git`);
    await git(['clone', '-q', '--mirror', source, path]);
    await git(['-C', path, 'config', 'http.receivepack', 'true']);
    await git(['-C', path, 'config', 'uploadpack.allowFilter', 'true']);
  }

  repositories() {
    const folder = join(this.folder, 'repositories', 'root');
    return readdirSync(folder).map((name) => join(folder, name));
  }
}

async function until(condition) {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('nginx or fcgiwrap did not start');
}
