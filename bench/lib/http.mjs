// A client that costs little, so that two cores measure the servers and not the client: HTTP/1.1 on kept connections.
import { connect } from 'node:net';

const END = Buffer.from('\r\n\r\n');

export class Connection {
  constructor(port) {
    this.port = port;
    this.received = Buffer.alloc(0);
    this.waiting = null;
  }

  async open() {
    this.socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => {
      this.received = this.received.length ? Buffer.concat([this.received, chunk]) : chunk;
      this.#look();
    });
    const broken = (error) => this.waiting?.reject(error ?? new Error('the connection was closed'));
    this.socket.on('error', broken);
    this.socket.on('close', () => broken());
    await new Promise((resolve, reject) => this.socket.once('connect', resolve).once('error', reject));
    return this;
  }

  close() {
    this.waiting = null;
    this.socket.destroy();
  }

  // Sends a request that is written out already; gives the status and the body.
  send(request) {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket.write(request);
    });
  }

  #look() {
    const end = this.received.indexOf(END);
    if (end < 0 || !this.waiting) return;
    const head = this.received.latin1Slice(0, end).toLowerCase();
    const body = end + END.length;
    const length = head.match(/\r\ncontent-length: *(\d+)/);
    let until;
    if (length) until = body + Number(length[1]);
    else if (head.includes('transfer-encoding: chunked')) until = chunkedEnd(this.received, body);
    else until = body;
    if (until < 0 || this.received.length < until) return;
    const answer = { status: Number(head.slice(9, 12)), body: this.received.subarray(body, until) };
    this.received = this.received.subarray(until);
    const { resolve } = this.waiting;
    this.waiting = null;
    resolve(answer);
  }
}

function chunkedEnd(buffer, at) {
  for (;;) {
    const line = buffer.indexOf('\r\n', at);
    if (line < 0) return -1;
    const size = Number.parseInt(buffer.latin1Slice(at, line), 16);
    at = line + 2 + size + 2;
    if (at > buffer.length) return -1;
    if (size === 0) return at;
  }
}

export function request(method, path, port, headers = {}, body = '') {
  const fields = { host: `127.0.0.1:${port}`, ...headers };
  if (body) fields['content-length'] = Buffer.byteLength(body);
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n${body}`);
}
