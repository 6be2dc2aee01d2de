// Prints the contrast ratio of every token pair that meets in the interface. Usage: node crates/ui/scripts/contrast.mjs
import { readFileSync } from "node:fs";
const css = readFileSync(new URL("../assets/tokens.css", import.meta.url), "utf8");
const tokens = {};
for (const [, name, light, dark] of css.matchAll(/--([\w-]+):\s*light-dark\((oklch\([^)]*\)), (oklch\([^)]*\))\);/g))
  tokens[name] = [light, dark];
const clamp = (x) => Math.min(1, Math.max(0, x));
function luminance(text) {
  const [L, C, h] = text.match(/[\d.]+/g).map(Number);
  const a = C * Math.cos((h * Math.PI) / 180), b = C * Math.sin((h * Math.PI) / 180);
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const red = clamp(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = clamp(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = clamp(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
const ratio = (x, y) => (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
const grounds = ["ground", "surface", "sunken", "raised"];
const syntax = ["syn-key", "syn-fn", "syn-type", "syn-str", "syn-num", "syn-com", "ink"];
const pairs = [
  ...["ink", "ink-2", "ink-3", "accent", "ok", "bad", "warn", "run", "rest"].flatMap((f) => grounds.map((g) => [f, g, 4.5])),
  ...["ok", "bad", "warn", "run", "rest"].flatMap((f) => [[f, f + "-soft", 4.5], ["ink", f + "-soft", 4.5], ["ink-2", f + "-soft", 4.5]]),
  ["accent", "accent-soft", 4.5], ["ink", "accent-soft", 4.5], ["ink-2", "accent-soft", 4.5], ["ink-3", "accent-soft", 4.5],
  ["on-accent", "accent-fill", 4.5], ["on-accent", "accent-over", 4.5], ["on-bad", "bad", 4.5],
  ...syntax.flatMap((f) => ["surface", "sunken", "add", "del", "add-word", "del-word"].map((g) => [f, g, 4.5])),
  ["add-ink", "add", 4.5], ["del-ink", "del", 4.5], ["add-ink", "surface", 4.5], ["del-ink", "surface", 4.5],
  ["ink-3", "add", 4.5], ["ink-3", "del", 4.5],
  ...grounds.flatMap((g) => [["field", g, 3], ["focus", g, 3]]), ["focus", "accent-soft", 3],
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => ["c" + n, "surface", 3]),
];
let failures = 0;
for (const [front, back, need] of pairs) {
  const got = [0, 1].map((i) => ratio(luminance(tokens[front][i]), luminance(tokens[back][i])));
  const bad = got.some((r) => r < need);
  failures += bad;
  console.log(`${bad ? "LOW " : "ok  "} ${(front + " on " + back).padEnd(26)} needs ${need}  light ${got[0].toFixed(2).padStart(5)}  dark ${got[1].toFixed(2).padStart(5)}`);
}
console.log(`${pairs.length} pairs, ${failures} too low`);
process.exitCode = failures ? 1 : 0;
