// Tidemill's script: palette, keys, copying, filters, live parts. Every page works without it.
(() => {
'use strict';
const root = document.documentElement;
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null && value !== false) node.setAttribute(name, value === true ? '' : value);
  node.append(...children.filter((child) => child != null));
  return node;
};
const svg = (name, classes = '') => {
  const node = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  node.setAttribute('class', `ic ${classes}`.trim());
  node.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', $(`#i-${CSS.escape(name)}`) ? `#i-${name}` : `${root.dataset.icons}#i-${name}`);
  node.append(use);
  return node;
};

// Short messages at the corner.
function toast(text, tone = 'ok') {
  const box = $('#toasts');
  if (!box) return;
  const note = make('div', { class: 'toast' }, svg(tone === 'bad' ? 'bad' : 'ok', tone), make('span', {}, text));
  box.append(note);
  setTimeout(() => note.remove(), 4000);
}

// Copying.
async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = make('textarea', { class: 'vh' });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
  const mark = button && $('.ic use', button);
  if (mark) {
    const old = mark.getAttribute('href');
    const done = $('#i-done') ? '#i-done' : `${root.dataset.icons}#i-done`;
    if (old !== done) { mark.setAttribute('href', done); setTimeout(() => mark.setAttribute('href', old), 1500); }
  }
  toast('Copied');
}

// Relative times.
const steps = [[60, 1, 'second'], [3600, 60, 'minute'], [86400, 3600, 'hour'], [1209600, 86400, 'day'], [5184000, 604800, 'week'], [63072000, 2592000, 'month'], [Infinity, 31536000, 'year']];
function ago(date) {
  const distance = (Date.now() - date) / 1000, size = Math.abs(distance);
  if (size < 45) return 'just now';
  const [, unit, name] = steps.find(([limit]) => size < limit);
  const count = Math.max(1, unit > 86400 ? Math.floor(size / unit) : Math.round(size / unit));
  const phrase = name === 'second' ? '1 minute' : `${count} ${name}${count === 1 ? '' : 's'}`;
  return distance < 0 ? `in ${phrase}` : `${phrase} ago`;
}
const refresh = () => { for (const time of $$('time[data-rel]')) { const text = ago(new Date(time.dateTime)); if (time.textContent !== text) time.textContent = text; } };
setInterval(refresh, 30000);

// Lists that filter while one types.
function filter(input) {
  const list = document.getElementById(input.dataset.filter);
  if (!list) return;
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of $$(':scope > li, :scope > tbody > tr, :scope .l, [data-row]', list)) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    if (!row.hidden) shown++;
  }
  if (words.length) for (const fold of $$('details', list)) fold.open = true;
  let none = list.nextElementSibling;
  if (!none || !none.matches('.none')) list.after(none = make('p', { class: 'none faint', role: 'status' }));
  none.textContent = shown ? '' : 'Nothing here matches.';
}

// Line anchors: #L5 and #L5-9, shift-click for ranges.
const range = () => /^#(?:L|LC)(\d+)(?:-L?(\d+))?$/.exec(location.hash);
function lines(scroll) {
  $$('.marked').forEach((line) => line.classList.remove('marked'));
  const found = range();
  if (!found) {
    if (scroll && location.hash.length > 1) {
      const id = decodeURIComponent(location.hash.slice(1));
      const target = document.getElementById(id) || document.getElementById(`user-content-${id}`);
      if (target) { for (let fold = target.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true; target.scrollIntoView(); }
    }
    return;
  }
  let [from, to] = [+found[1], +(found[2] || found[1])];
  if (from > to) [from, to] = [to, from];
  for (let number = from; number <= to && number < from + 5000; number++) {
    const line = document.getElementById(`L${number}`);
    if (!line) continue;
    const row = line.closest('tr, .l') || line;
    row.classList.add('marked');
    const fold = number === from && row.closest('details');
    if (fold) fold.open = true;
    if (number === from && scroll) row.scrollIntoView({ block: 'center' });
  }
}

// The palette.
const palette = $('#palette');
let asked = 0, timer;
async function find(query) {
  const turn = ++asked;
  try {
    const answer = await fetch(`/-/palette?q=${encodeURIComponent(query)}&at=${encodeURIComponent(location.pathname)}`, { headers: { Accept: 'application/json' } });
    if (!answer.ok) throw new Error(answer.statusText);
    const { groups = [] } = await answer.json();
    if (turn !== asked) return;
    draw(groups, query);
  } catch {
    if (turn === asked) draw([], query);
  }
}
function draw(groups, query) {
  const parts = groups.filter((group) => group.items?.length).flatMap((group) => [
    make('h2', {}, group.title),
    make('ul', { class: 'list' }, ...group.items.map((item) => make('li', {}, make('a', { href: safe(item.href), 'data-post': item.post },
      item.icon ? svg(item.icon, item.tone) : null, make('span', { class: 'cut' }, item.title),
      item.note ? make('span', { class: 'faint num' }, item.note) : null, item.keys ? make('kbd', {}, item.keys.toUpperCase()) : null)))),
  ]);
  if (!parts.length) parts.push(make('p', { class: 'none faint' }, query ? 'Nothing found. Enter searches everywhere.' : 'Type to search.'));
  $('#found').replaceChildren(...parts);
  choose($('#found a'));
}
const safe = (href) => (/^(\/(?!\/)|#|\?|https?:)/.test(href || '') ? href : '#');
function choose(entry) {
  $$('#found [aria-current]').forEach((other) => other.removeAttribute('aria-current'));
  if (entry) { entry.setAttribute('aria-current', 'true'); entry.scrollIntoView({ block: 'nearest' }); }
}
if (palette) {
  const input = $('input', palette);
  palette.addEventListener('toggle', (event) => {
    if (event.newState !== 'open') return;
    input.focus();
    input.select();
    find(input.value);
  });
  input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(() => find(input.value), 90); });
  palette.addEventListener('keydown', (event) => {
    const entries = $$('#found a'), at = entries.findIndex((entry) => entry.hasAttribute('aria-current'));
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      choose(entries[(at + (event.key === 'ArrowDown' ? 1 : -1) + entries.length) % entries.length]);
    } else if (event.key === 'Enter' && !event.isComposing && entries[at]) {
      event.preventDefault();
      entries[at].click();
    }
  });
}

// Keys.
let chord = '', chordTimer;
const typing = (target) => target.closest?.('input, textarea, select, [contenteditable], dialog[open], [popover]:popover-open');
const show = (id) => { const dialog = document.getElementById(id); if (dialog && !dialog.open) dialog.showModal(); };
function step(selector, by) {
  const stops = $$(selector).filter((stop) => stop.offsetParent);
  if (!stops.length) return;
  const now = stops.indexOf(document.activeElement), next = stops[Math.min(stops.length - 1, Math.max(0, now + by))];
  if (!next.matches('a, button, [tabindex]')) next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: 'center' });
}
const actions = {
  '/': () => { const field = $$('[data-slash], main [data-filter]').find((input) => input.checkVisibility()); field ? field.focus() : $('.find')?.click(); },
  '?': () => { hereKeys(); show('keys'); },
  '[': () => root.clientWidth > 960 && !$('.frame.focus:not([data-folded])') ? fold() : $('#nav')?.togglePopover?.(),
  t: () => root.dataset.find && location.assign(safe(root.dataset.find)),
  y: () => root.dataset.permalink && history.replaceState(null, '', safe(root.dataset.permalink) + location.hash),
  j: () => step('.rows > li a:first-of-type, .data tbody th a, .stops a', 1),
  k: () => step('.rows > li a:first-of-type, .data tbody th a, .stops a', -1),
  n: () => step('.talk, .card.open, tr.hunk', 1),
  e: () => step('.l.hit > a', 1),
};
function fold() {
  const frame = $('.frame'), on = frame.classList.toggle('focus');
  frame.toggleAttribute('data-folded', on);
}
function hereKeys() {
  const rows = $$('[data-keys]:not(html, .brand)').flatMap((link) => [make('dt', {}, ...link.dataset.keys.toUpperCase().split(' ').map((key) => make('kbd', {}, key))), make('dd', {}, link.textContent.replace(/\s*[A-Z] \S$/, '').trim())]);
  $('#keys-here')?.replaceChildren(...rows);
}
document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k' && palette) {
    event.preventDefault();
    palette.togglePopover();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key === 'Enter' && event.target.matches('textarea')) {
    event.preventDefault();
    event.target.form?.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target) || root.dataset.keys === 'off') return;
  clearTimeout(chordTimer);
  const pressed = (chord ? `${chord} ` : '') + event.key.toLowerCase(), link = $$('[data-keys]:not(html)').find((entry) => entry.dataset.keys === pressed);
  if (link) { event.preventDefault(); chord = ''; link.click(); return; }
  if (!chord && (event.key === 'g' || event.key === 'c')) { chord = event.key; chordTimer = setTimeout(() => { chord = ''; }, 1200); return; }
  const action = !chord && actions[event.key];
  chord = '';
  if (action) { event.preventDefault(); action(); }
});

// Clicks that mean more than a link.
async function load(place, href) {
  if (place.getAttribute('aria-busy')) return;
  place.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(href, { headers: { 'X-Fragment': '1', Accept: 'text/html' } });
    if (!answer.ok) throw new Error(answer.status);
    const parsed = new DOMParser().parseFromString(place.matches('tr') ? `<table><tbody>${await answer.text()}</tbody></table>` : await answer.text(), 'text/html');
    const sprite = $('.sprite', parsed.body);
    if (sprite) document.body.append(sprite);
    place.replaceWith(...(place.matches('tr') ? $('tbody', parsed).children : parsed.body.childNodes));
    refresh();
  } catch {
    place.removeAttribute('aria-busy');
    toast('That could not be loaded. Try again.', 'bad');
  }
}
document.addEventListener('click', (event) => {
  const on = (selector) => event.target.closest(selector);
  let hit;
  if ((hit = on('[data-copy]'))) copy(hit.dataset.copy, hit);
  else if ((hit = on('[data-open]'))) { event.preventDefault(); if (hit.dataset.open === 'keys') hereKeys(); show(hit.dataset.open); }
  else if ((hit = on('[data-close]'))) hit.closest('dialog, [popover]')?.[hit.closest('dialog') ? 'close' : 'hidePopover']();
  else if ((hit = on('a[data-post]'))) { event.preventDefault(); const form = make('form', { method: 'post', action: hit.getAttribute('href') }); document.body.append(form); form.submit(); }
  else if ((hit = on('a[data-load]')) && !event.ctrlKey && !event.metaKey) { event.preventDefault(); load(hit.closest('[data-place]') || hit.parentElement, hit.href); }
  else if ((hit = on('[data-press]'))) { const set = hit.getAttribute('aria-pressed') !== 'true'; hit.setAttribute('aria-pressed', set); $(`#${CSS.escape(hit.dataset.press)}`)?.classList.toggle(hit.dataset.class, set); }
  else if ((hit = on('a[href^="#L"]')) && event.shiftKey && range()) { event.preventDefault(); history.replaceState(null, '', `#L${range()[1]}-${hit.hash.slice(2)}`); lines(false); }
});
document.addEventListener('input', (event) => { if (event.target.matches('[data-filter]')) filter(event.target); });
document.addEventListener('change', ({ target }) => {
  if (target.matches('[data-submit]')) target.form?.requestSubmit();
  if (target.matches('[data-viewed]')) try { localStorage.setItem(viewed(target), target.checked ? 1 : 0); } catch { /* not kept */ }
});
const viewed = (box) => `viewed ${location.pathname} ${box.dataset.viewed}`;
document.addEventListener('submit', (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) { event.preventDefault(); return; }
  if (event.target.method === 'post') setTimeout(() => $$('[type=submit]', event.target).forEach((button) => button.setAttribute('aria-busy', 'true')));
});

// Live parts: <div data-live="URL"> gets server-sent events. "append" adds HTML before the first [data-tail], "replace" puts HTML in the place of
// the element with the same id, "reload" fetches the page's main part again, "end" closes.
function live(place) {
  const source = new EventSource(place.dataset.live);
  const parse = (text) => new DOMParser().parseFromString(text, 'text/html').body;
  const settle = () => { refresh(); if (place.classList.contains('follow')) place.lastElementChild?.scrollIntoView({ block: 'end' }); };
  source.addEventListener('append', (event) => { const tail = $('[data-tail]', place), parts = parse(event.data).childNodes; $('.waiting', place)?.remove(); tail ? tail.before(...parts) : place.append(...parts); settle(); });
  source.addEventListener('replace', (event) => { for (const part of [...parse(event.data).children]) { const old = part.id && document.getElementById(part.id); if (old) old.replaceWith(part); } settle(); });
  source.addEventListener('reload', again);
  source.addEventListener('end', () => { source.close(); if (place.dataset.end === 'reload') again(); });
  addEventListener('pagehide', () => source.close());
}
async function again() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } }), next = $('main', new DOMParser().parseFromString(await answer.text(), 'text/html'));
    if (!answer.ok || !next || $('main [popover]:popover-open, main dialog[open]')) return;
    $$('.log', next).forEach((log) => { const old = log.id && document.getElementById(log.id); if (old && !log.dataset.live && old.childElementCount > log.childElementCount) log.replaceWith(old); });
    const scroll = scrollY;
    $('main').replaceChildren(...next.childNodes);
    scrollTo(0, scroll);
    start();
  } catch { /* the next event tries again */ }
}

// Pages are fetched when a link is pointed at for a moment.
let hover;
document.addEventListener('pointerover', (event) => {
  clearTimeout(hover);
  const link = event.target.closest?.('a[href^="/"]:not([data-load], [download], [data-post], [href*="/raw/"], [href*="archive"])');
  if (link && event.pointerType === 'mouse') hover = setTimeout(() => {
    if (![...$$('link[rel=prefetch]')].some((other) => other.href === link.href)) document.head.append(make('link', { rel: 'prefetch', href: link.href }));
  }, 120);
});

function start() {
  refresh();
  for (const box of $$('.prose pre.code')) if (!box.closest('.codebox')) {
    const frame = make('div', { class: 'codebox' });
    box.replaceWith(frame);
    const button = make('button', { class: 'btn small', type: 'button', 'aria-label': 'Copy code' }, svg('copy'), 'Copy');
    button.addEventListener('click', () => copy(box.textContent, button));
    frame.append(box, button);
  }
  try { for (const box of $$('[data-viewed]')) { const kept = localStorage.getItem(viewed(box)); if (kept) box.checked = kept === '1'; } } catch { /* not kept */ }
  for (const place of $$('[data-live]:not([data-on])')) { place.dataset.on = ''; live(place); }
}
addEventListener('hashchange', () => lines(true));
start();
lines(true);
})();
