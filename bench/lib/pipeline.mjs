// From the end of `git push` to the first line of the job that it caused.
import { join } from 'node:path';

import { git } from './git.mjs';
import { median, milliseconds, single } from './report.mjs';

const CI = 'probe:\n  variables: { GIT_STRATEGY: none }\n  script:\n    - date +began=%s%N\n';

export async function measurePipeline(tidemill, folder, note) {
  console.log('Pipelines');
  const path = join(folder, 'pipeline.git');
  await git(['init', '-q', '--bare', '-b', 'main', path]);
  const times = [];
  for (let round = 0; round < 11; round++) {
    const commit = await change(path, round);
    await git(['-C', path, 'push', '-q', tidemill.remote('probe'), 'main']);
    const pushed = Date.now();
    times.push((await began(tidemill, commit)) - pushed);
  }
  times.shift(); // The first push makes the project.
  note(single('from the end of a push to the script of its job, median of 10', milliseconds(median(times)), 'under 200 ms'));
}

async function change(path, round) {
  const blob = (await git(['-C', path, 'hash-object', '-w', '--stdin'], { stdin: 'pipe', input: `${CI}# ${round}\n` })).trim();
  const tree = (await git(['-C', path, 'mktree'], { stdin: 'pipe', input: `100644 blob ${blob}\t.gitlab-ci.yml\n` })).trim();
  const parents = round ? ['-p', 'main'] : [];
  const commit = (await git(['-C', path, 'commit-tree', ...parents, '-m', `Number ${round}`, tree])).trim();
  await git(['-C', path, 'update-ref', 'refs/heads/main', commit]);
  return commit;
}

// When the job of a commit wrote its line, in milliseconds since the epoch.
async function began(tidemill, commit) {
  for (let attempt = 0; attempt < 300; attempt++) {
    const [pipeline] = await tidemill.api('GET', `/projects/root%2Fprobe/pipelines?sha=${commit}`);
    const [job] = pipeline ? await tidemill.api('GET', `/projects/root%2Fprobe/pipelines/${pipeline.id}/jobs`) : [];
    if (job?.status === 'success') {
      const trace = await tidemill.api('GET', `/projects/root%2Fprobe/jobs/${job.id}/trace`);
      return Number(trace.match(/began=(\d+)/)[1]) / 1e6;
    }
    if (job?.status === 'failed') throw new Error(`the job failed: ${job.failure_reason}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the job did not end within 30 seconds');
}
