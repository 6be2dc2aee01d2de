// How soon it serves, and what it holds while nobody asks anything.
import { median, milliseconds, single } from './report.mjs';

export async function measureStart(tidemill, note) {
  console.log('Start and idle memory');
  const first = await tidemill.start();
  note(single('first start, with an empty folder', milliseconds(first)));
  await tidemill.stop();
  const times = [];
  for (let round = 0; round < 7; round++) {
    times.push(await tidemill.start());
    if (round === 6) {
      await new Promise((resolve) => setTimeout(resolve, 5000));
      note(single('idle memory (resident) after the start', `${tidemill.memory().toFixed(0)} MB`, 'under 60 MB'));
    }
    await tidemill.stop();
  }
  note(single('start until ready, median of 7', milliseconds(median(times)), 'under 300 ms'));
}
