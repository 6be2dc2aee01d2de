// Numbers and how they are shown.
import { run } from './git.mjs';

export async function version(program, args) {
  return (await run(program, args)).trim().split('\n')[0];
}

// The value below which a share of the sorted values lies.
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const median = (values) => percentile(values, 0.5);

export function milliseconds(value) {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

// A comparison where more is better (`rate`) or less is better (`time`); above 1 Tidemill is ahead.
export function ratio(what, ours, theirs, kind, target) {
  const value = kind === 'rate' ? ours / theirs : theirs / ours;
  const show = kind === 'rate' ? (n) => `${n.toFixed(0)}/s` : milliseconds;
  return {
    what,
    ours: show(ours),
    theirs: show(theirs),
    result: `${value.toFixed(2)} times`,
    target,
    text: `${show(ours)} against ${show(theirs)}, ${value.toFixed(2)} times`,
  };
}

// A value that has nothing beside it.
export function single(what, shown, target) {
  return { what, ours: shown, theirs: '', result: '', target, text: shown };
}

export function table(rows) {
  const lines = rows.map((r) => `| ${r.what} | ${r.ours} | ${r.theirs} | ${r.result} | ${r.target ?? ''} |`);
  return ['| what | Tidemill | git http-backend | Tidemill is | target |', '|---|--:|--:|--:|---|', ...lines].join('\n');
}
