// The feedback widget: one file, no dependencies, nothing kept on the device. How a shop
// embeds it: README.md. What becomes of an event is told by "feedbackpro" events on document.
(() => {
"use strict";
const { producer, token, productSku, sessionPage = location.pathname } = document.currentScript.dataset;
const url = producer + "/v1/events";
const TRIES = 5, TRY_MS = 15_000, MAX_WAIT_S = 30; // the producer gives Kafka 10 s

const TEXTS = { // German, English
  open: ["Ihre Meinung", "Your opinion"],
  close: ["Schließen", "Close"],
  rating_submitted: ["Bewertung", "Rating"],
  nps_calculated: ["Empfehlung", "Recommend"],
  new_feedback: ["Kommentar", "Comment"],
  rate: ["Wie gefällt Ihnen dieses Produkt?", "How do you like this product?"],
  stars: [" von 5 Sternen", " of 5 stars"],
  nps: ["Würden Sie uns weiterempfehlen?", "Would you recommend us?"],
  never: ["0: keinesfalls", "0: by no means"],
  surely: ["10: unbedingt", "10: certainly"],
  comment: ["Was können wir besser machen?", "What could we do better?"],
  email: ["E-Mail für eine Antwort (freiwillig)", "E-mail for an answer (optional)"],
  send: ["Absenden", "Send"],
  sending: ["Wird gesendet …", "Sending …"],
  again: ["Wird wiederholt …", "Trying again …"],
  refused: ["Nicht angenommen", "Not accepted"],
  offline: ["Keine Verbindung: bitte erneut senden.", "No connection: please send again."],
  thanks: ["Danke! Ihre Antwort ist da.", "Thank you! Your answer is here."],
};
const english = +!document.documentElement.lang.startsWith("de");
const say = (name) => TEXTS[name][english];

const CSS = `
:host{all:initial;--bg:#fff;--fg:#1c2622;--soft:#586560;--line:#84908b;--tint:#eaf0ed;--key:#24594a;--on:#fff;--bad:#a01c1c;--star:#b45309}
@media(prefers-color-scheme:dark){:host{color-scheme:dark;--bg:#1d2623;--fg:#eaf0ed;--soft:#a9b7b1;--line:#71807a;--tint:#0f1614;--key:#8fd3bc;--on:#0b231b;--bad:#ff9f97;--star:#f5b94d}}
*{box-sizing:border-box;font:inherit}
[hidden]{display:none!important}
.open,dialog{position:fixed;bottom:24px;font:16px/1.45 system-ui}
button{min-height:44px;padding:8px 20px;border:0;border-radius:22px;background:var(--key);color:var(--on);font-weight:600;cursor:pointer}
.open{z-index:9;right:16px;box-shadow:0 6px 20px #0004}
dialog{width:400px;max-height:92vh;inset:auto auto 24px 24px;margin:0;padding:20px 22px 24px;border:1px solid var(--line);border-radius:18px;background:var(--bg);color:var(--fg);box-shadow:0 20px 60px #0006}
header,.ends{display:flex;justify-content:space-between;width:100%}
h2,p{margin:0;overflow-wrap:anywhere}
h2{font:650 20px/1.4 system-ui}
header button{width:44px;padding:0;margin:-8px -10px 0;background:0;color:inherit;font-size:26px}
form,label{display:grid;gap:16px}
label{gap:6px}
fieldset{display:flex;flex-wrap:wrap;min-width:0;margin:0;padding:0;border:0}
legend{margin-bottom:10px;padding:0}
.pick{position:relative;place-items:center;flex:1;min-height:40px;border-radius:9px}
.pick input{position:absolute;inset:0;margin:0;opacity:0;cursor:pointer}
.pick:has(:focus-visible),:focus-visible{outline:3px solid var(--key);outline-offset:2px}
.about{margin:14px 0 20px;padding:4px;border-radius:13px;background:var(--tint)}
.about .pick:has(:checked){background:var(--bg);font-weight:600;box-shadow:0 1px 3px #0004}
.rate .pick{flex:0 0 52px;font-size:38px;line-height:1.2;color:var(--line)}
.rate label:has(:checked),.rate label:has(~*>:checked){color:var(--star)}
.nps{gap:3px}
.nps .pick{border:1px solid var(--line)}
.nps .pick:has(:checked){background:var(--key);color:var(--on)}
.soft,.ends,.pick{color:var(--soft);font-size:14px}
textarea,form>label>input{width:100%;padding:10px 12px;border:1px solid var(--line);border-radius:10px;background:0;color:var(--fg)}
textarea{min-height:110px;resize:vertical}
.bad{color:var(--bad)}
@media(min-width:521px){.open{inset:40% auto auto 0;padding:18px 6px;border-radius:0 12px 12px 0;writing-mode:vertical-rl}}
@media(max-width:520px){dialog{inset:auto 0 0;width:auto;max-width:none;border-radius:18px 18px 0 0}.nps .pick{flex-basis:14%}}
@media(prefers-reduced-motion:no-preference){dialog{animation:in .3s ease-out}@keyframes in{from{transform:translate(-48px,48px);opacity:0}}}`;

const el = (tag, attributes, ...children) => {
  const node = Object.assign(document.createElement(tag), attributes);
  node.append(...children);
  return node;
};
const visit = () => ({ session_duration_seconds: Math.round(performance.now() / 1000) });
const write = (event, data) => JSON.stringify({ event, data: { ...data, session_page: sessionPage } });
const dismissal = () => write("widget_dismissed", { product_sku: productSku, ...visit() });

// Sends until there is an answer, under one key: a repeated event keeps its id. Gives what
// went wrong, in words; nothing when the event was accepted.
const post = async (event, key, body, onRetry) => {
  const tell = (state, more) => {
    document.dispatchEvent(new CustomEvent("feedbackpro", { detail: { event, key, state, ...more } }));
  };
  tell("sent");
  for (let attempt = 1; ; attempt++) {
    let wait = 2 ** attempt, text = say("offline"), status;
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { Authorization: "Bearer " + token, "Content-Type": "application/json", "Idempotency-Key": key },
        body,
        keepalive: true,
        signal: AbortSignal.timeout(TRY_MS),
      });
      const { id, detail } = await answer.json();
      status = answer.status;
      if (status == 202) return tell("accepted", { status, id });
      wait = status == 503 && +answer.headers.get("Retry-After");
      text = `${say("refused")} (${status}): ${detail}`;
    } catch {} // no network, or half an answer
    if (!wait || attempt == TRIES) {
      tell("refused", { status, text });
      return text;
    }
    onRetry?.();
    await new Promise((done) => setTimeout(done, Math.min(wait, MAX_WAIT_S) * 1000));
  }
};

const pick = (name, value, ariaLabel, shown = ariaLabel) => el("label", { className: "pick" },
  el("input", { type: "radio", name, value, required: true, ariaLabel }), shown);
const group = (name, ...children) => el("fieldset", { className: name }, el("legend", {}, say(name)), ...children);

// Each question: its fields, and the event's data from what was filled in.
const QUESTIONS = {
  rating_submitted: [
    () => [group("rate", ...[1, 2, 3, 4, 5].map((n) => pick("score", n, n + say("stars"), "★")))],
    ({ score }) => ({ score: +score, product_sku: productSku }),
  ],
  nps_calculated: [
    () => [group("nps", ...[...Array(11).keys()].map((n) => pick("score", n, n)),
      el("div", { className: "ends" }, el("span", {}, say("never")), el("span", {}, say("surely"))))],
    ({ score }) => ({ segment: score > 8 ? "Promoter" : score > 6 ? "Passive" : "Detractor", response_id: "nps_" + crypto.randomUUID() }),
  ],
  new_feedback: [
    () => [el("label", {}, say("comment"), el("textarea", { name: "comment", required: true, maxLength: 4000 })),
      el("label", { className: "soft" }, say("email"), el("input", { name: "email", type: "email", autocomplete: "email" }))],
    (filled) => ({ ...filled, ...visit(), browser_locale: navigator.language }),
  ],
};
if (!productSku) delete QUESTIONS.rating_submitted; // nothing to rate

let panel; // the last dialog, with the number of `answers` that are accepted or on their way

const question = (event) => {
  const [fields, data] = QUESTIONS[event], of = panel;
  const send = el("button", {}, say("send")), said = el("p", { role: "status" });
  const form = el("form", {}, ...fields(), said, send);
  let held, busy; // the same content goes out under the same key, however often it is sent
  form.oninput = () => held = null;
  form.onsubmit = async (submit) => {
    submit.preventDefault();
    if (busy) return;
    busy = true;
    of.answers++;
    held ??= [crypto.randomUUID(), write(event, data(Object.fromEntries(new FormData(form))))];
    said.className = "soft";
    said.textContent = say("sending");
    const problem = await post(event, ...held, () => said.textContent = say("again"));
    busy = false;
    if (problem) {
      of.answers--;
      said.className = "bad";
      said.textContent = problem;
      return;
    }
    const thanks = el("h2", { tabIndex: -1 }, say("thanks"));
    form.replaceChildren(thanks, el("button", { type: "button", onclick: () => of.close() }, say("close")));
    thanks.focus();
  };
  return form;
};

const open = () => {
  const dialog = panel = el("dialog", { ariaLabel: say("open"), answers: 0 });
  const names = Object.keys(QUESTIONS), forms = names.map(question);
  const show = (event) => forms.forEach((form, i) => form.hidden = names[i] != event);
  const about = el("fieldset", { className: "about", ariaLabel: say("open") }, ...names.map((name) => pick("about", name, say(name))));
  about.onchange = ({ target }) => show(target.value);
  Object.assign(about.querySelector("input"), { checked: true, autofocus: true });
  show(names[0]);
  dialog.append(el("header", {}, el("h2", {}, say("open")),
    el("button", { ariaLabel: say("close"), onclick: () => dialog.close() }, "×")), about, ...forms);
  dialog.onclose = () => {
    if (!dialog.answers) post("widget_dismissed", crypto.randomUUID(), dismissal());
    dialog.remove();
  };
  root.append(dialog);
  dialog.showModal();
};

// Left with the panel open: nothing but a beacon still goes out.
addEventListener("pagehide", () => {
  if (!panel?.open || panel.answers++) return;
  navigator.sendBeacon(`${url}?key=${encodeURIComponent(token)}`, dismissal());
  panel.close();
});

const host = el("aside", { ariaLabel: say("open") }), root = host.attachShadow({ mode: "open" });
const sheet = new CSSStyleSheet(); // needs no exception in the shop's CSP
sheet.replaceSync(CSS);
root.adoptedStyleSheets = [sheet];
root.append(el("button", { className: "open", ariaHasPopup: "dialog", onclick: open }, say("open")));
document.body.append(host);
})();
