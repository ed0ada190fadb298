// What pages do beyond HTML. Every page works without it.
'use strict';

const language = document.documentElement.lang;

// Times: "5 minutes ago" goes on; moments are shown in the reader's zone.
const units = [['second', 1], ['minute', 60], ['hour', 3600], ['day', 86400]];
const relative = new Intl.RelativeTimeFormat(language);
const dateAndTime = { day: 'numeric', month: language === 'de' ? '2-digit' : 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' };
const moment = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, dateAndTime);
const exact = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { ...dateAndTime, second: '2-digit' });
const tell = (formatter, date) => formatter.format(date).replace(language === 'de' ? ', ' : '', language === 'de' ? ' ' : '');

function ago(date) {
  const seconds = Math.trunc((date - Date.now()) / 1000);
  if (seconds === 0) return null;
  const [unit, size] = units.findLast(([, size]) => Math.abs(seconds) >= size);
  // What comes is rounded: 24 hours are not 23 a moment later.
  return relative.format(seconds > 0 ? Math.round(seconds / size) : Math.trunc(seconds / size), unit);
}

function showTimes(which = 'time[data-time]') {
  for (const time of document.querySelectorAll(which)) {
    const date = new Date(time.dateTime);
    const formatter = { moment, exact }[time.dataset.time];
    const text = formatter ? tell(formatter, date) : ago(date);
    if (text !== null && text !== time.textContent) time.textContent = text;
    time.title = tell(exact, date);
  }
}
showTimes();
setInterval(showTimes, 10_000);
setInterval(showTimes, 1000, 'time[data-time=countdown]');

// An answer from another page than was asked for: the session is over, and the reload
// leads to the sign-in.
const isOver = (answer) => answer?.redirected && new URL(answer.url).pathname === '/sign-in';

// Parts of a page that come a moment later, or go on while somebody looks: read from
// the page that has them. When one that goes on has ended, the page around it has, too.
async function load(part) {
  const { load: url, every } = part.dataset;
  const answer = await fetch(url).catch(() => null);
  if (isOver(answer)) return location.reload();
  const page = answer?.ok ? new DOMParser().parseFromString(await answer.text(), 'text/html') : null;
  const fresh = page?.getElementById(part.id);
  if (fresh && every && !fresh.dataset.every) location.reload();
  else if (fresh && fresh.outerHTML !== part.outerHTML) part.replaceWith(fresh);
  if (every) setTimeout(load, every, document.getElementById(part.id));
}
for (const part of document.querySelectorAll('[data-load]')) setTimeout(load, part.dataset.every ?? 0, part);

// One box for all of a list's boxes.
document.addEventListener('change', ({ target }) => {
  if (!target.dataset.checkAll) return;
  for (const box of target.form.elements) if (box.name === target.dataset.checkAll) box.checked = target.checked;
});

// Makes a part look like a newer one, and touches only what differs: focus,
// selection and what is open stay.
function renew(old, fresh) {
  if (old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (old instanceof CharacterData) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (name !== 'open' && name !== 'data-sent' && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [before, now] = [[...old.childNodes], [...fresh.childNodes]];
  now.forEach((child, place) => (place < before.length ? renew(before[place], child) : old.append(child)));
  for (const gone of before.slice(now.length)) gone.remove();
}

// Parts that are kept up to date: read again when the server says that something
// has changed, once a second at most, and once a minute by themselves.
function keepUpToDate(part) {
  let changed = false;
  let reads = false;
  let source;
  async function read() {
    changed = true;
    if (reads || document.hidden) return;
    reads = true;
    while (changed) {
      changed = false;
      try {
        const response = await fetch(location.href);
        if (isOver(response)) return location.reload();
        const page = new DOMParser().parseFromString(await response.text(), 'text/html');
        const fresh = page.getElementById(part.id);
        if (response.ok && fresh) renew(part, fresh);
        showTimes();
      } catch {
        // Away for a moment: asked again later.
      }
      await new Promise((done) => setTimeout(done, 1000));
    }
    reads = false;
  }
  // Browsers have few connections to a server: a page that nobody sees holds none.
  function follow() {
    source?.close();
    if (document.hidden) return;
    source = new EventSource(part.dataset.changes);
    source.addEventListener('change', read);
    // What has changed before it was followed, or while the connection was lost.
    source.addEventListener('open', read);
    // Refused, and not asked again by the browser: the page tells why.
    source.addEventListener('error', () => source.readyState === EventSource.CLOSED && read());
  }
  follow();
  document.addEventListener('visibilitychange', follow);
  setInterval(read, 60_000);
}
for (const part of document.querySelectorAll('[data-changes]')) keepUpToDate(part);

// Copy and download: exactly what the page holds.
async function copy(button, text) {
  await navigator.clipboard.writeText(text);
  button.classList.add('done');
  const before = button.getAttribute('aria-label');
  const label = button.textContent;
  button.setAttribute('aria-label', button.dataset.done);
  if (label.trim()) button.textContent = button.dataset.done;
  setTimeout(() => {
    button.classList.remove('done');
    if (before === null) button.removeAttribute('aria-label');
    else button.setAttribute('aria-label', before);
    if (label.trim()) button.textContent = label;
  }, 1500);
}

function save(text, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text]));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || button.classList.contains('done')) return;
  const { copy: text, copyFrom, saveFrom, file } = button.dataset;
  if (text !== undefined) copy(button, text);
  if (copyFrom) copy(button, document.getElementById(copyFrom).textContent);
  if (saveFrom) save(document.getElementById(saveFrom).textContent, file);
});

// A choice that shows something else at once.
document.addEventListener('change', (event) => {
  if (event.target.matches('[data-submit]')) event.target.form.requestSubmit();
});

// A form is sent once, and says that it is under way.
document.addEventListener('submit', (event) => {
  const { submitter, target: form } = event;
  if (form.method !== 'post') return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = 'yes';
  if (submitter?.dataset.busy) {
    submitter.textContent = submitter.dataset.busy;
    submitter.setAttribute('aria-busy', 'true');
  }
});
// Back from the browser's memory: it may be sent again.
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
});

// What has just happened, or is wrong, is read first.
document.querySelector('[data-focus]')?.focus();

// `/` goes to the search.
document.addEventListener('keydown', (event) => {
  const isTyping = event.target.closest('input, select, textarea');
  const search = document.querySelector('[data-search]');
  if (event.key === '/' && !isTyping && search && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});
