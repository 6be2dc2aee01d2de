// How long pages take that were seen before, as a browser on the same machine meets them.
import { Connection, request } from './http.mjs';
import { milliseconds, percentile, single } from './report.mjs';

export async function measurePages(tidemill, note) {
  const [{ id: commit }] = await tidemill.api('GET', '/projects/root%2Flarge/repository/commits?per_page=1');
  const files = await tidemill.api('GET', '/projects/root%2Flarge/repository/tree?recursive=true&per_page=100');
  const file = files.filter((f) => f.type === 'blob' && f.path.endsWith('.rs'))[0].path;
  const tree = file.slice(0, file.indexOf('/', 4));
  const pages = {
    home: '/root/large',
    tree: `/root/large/-/tree/main/${tree}`,
    file: `/root/large/-/blob/main/${file}`,
    commit: `/root/large/-/commit/${commit}`,
    history: '/root/large/-/commits/main',
    'history of a file': `/root/large/-/commits/main/${file}`,
  };
  console.log('Pages');
  for (const [name, path] of Object.entries(pages)) {
    const { cold, times } = await page(tidemill.port, path);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => milliseconds(percentile(times, share)));
    note(single(`page: ${name}, p50 / p95 / p99 (first time ${milliseconds(cold)})`, `${p50} / ${p95} / ${p99}`, 'p95 under 30 ms'));
  }
}

async function page(port, path) {
  const connection = await new Connection(port).open();
  const wanted = request('GET', path, port, { accept: 'text/html', 'accept-encoding': 'gzip' });
  const once = async () => {
    const begun = performance.now();
    const answer = await connection.send(wanted);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
    return performance.now() - begun;
  };
  const cold = await once();
  for (let n = 0; n < 20; n++) await once();
  const times = [];
  for (let n = 0; n < 400; n++) times.push(await once());
  connection.close();
  return { cold, times };
}
