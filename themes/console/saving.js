// Saves settings while they are written, and shows what comes of it; comes after console.js.
"use strict";

const PAUSE_MS = 1200;
const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 30000;

class Autosave {
  constructor(form) {
    this.form = form;
    this.state = form.querySelector(".save-state");
    this.edits = 0;
    this.savedEdits = 0;
    this.retryMs = FIRST_RETRY_MS;
    this.stopped = false;
    this.leaving = false;
    form.addEventListener("input", (event) => this.edited(event.target));
    form.addEventListener("submit", (event) => this.submitted(event));
    window.addEventListener("online", () => this.save());
    // Whoever comes back from signing in in another tab.
    window.addEventListener("focus", () => this.save());
    window.addEventListener("beforeunload", (event) => {
      if (!this.leaving && this.edits !== this.savedEdits) event.preventDefault();
    });
    window.addEventListener("pageshow", () => (this.leaving = false));
  }

  edited(field) {
    this.edits += 1;
    this.tried = false;
    if (this.stopped) return;
    // A picture goes with the button, once, and not with every letter that is typed.
    this.say(field.type === "file" || this.hasFile() ? "file" : "unsaved");
    this.plan(PAUSE_MS);
  }

  hasFile() {
    return all("input[type=file]", this.form).some((field) => field.value);
  }

  plan(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), pause);
  }

  async save() {
    clearTimeout(this.timer);
    if (this.stopped || this.leaving || this.edits === this.savedEdits) return;
    if (this.sending) return this.plan(PAUSE_MS);
    const edits = this.edits;
    this.say("saving");
    this.sending = this.send();
    const answer = await this.sending;
    this.sending = null;
    if (answer === null) {
      this.say("offline");
      this.plan(this.retryMs);
      this.retryMs = Math.min(this.retryMs * 2, LAST_RETRY_MS);
      return;
    }
    this.retryMs = FIRST_RETRY_MS;
    this.answered(answer, edits);
  }

  post() {
    const fields = [...new FormData(this.form)].filter(([, value]) => typeof value === "string");
    return fetch(this.form.action, {
      method: "POST",
      headers: { "x-autosave": "1" },
      body: new URLSearchParams(fields),
      redirect: "manual",
    });
  }

  // What the server says, or null where it was not reached.
  async send() {
    try {
      let answer = await this.post();
      // Another session wants a token of its own in the form.
      const isStranger = answer.status === 401 || answer.status === 403;
      if (isStranger && (await renewTokens())) answer = await this.post();
      if (answer.status >= 500 || answer.status === 429) return null;
      const isTold = (answer.headers.get("content-type") || "").startsWith("application/json");
      return isTold ? await answer.json() : {};
    } catch {
      return null;
    }
  }

  answered(answer, edits) {
    this.ended = Boolean(answer.ended);
    this.form.querySelector("[data-ended-link]").hidden = !this.ended;
    if (this.ended) {
      this.say("ended");
    } else if (answer.saved) {
      this.form.elements.namedItem("seen").value = answer.seen;
      if (!this.hasFile()) this.savedEdits = edits;
      showMistakes(this.form, {});
      this.say(this.hasFile() ? "file" : edits === this.edits ? "saved" : "unsaved");
      for (const mark of all("[data-unpublished]")) mark.hidden = false;
      showPreview();
      showNotes();
    } else if (answer.mistakes && !answer.outrun) {
      this.say("wrong", showMistakes(this.form, answer.mistakes));
    } else {
      this.stopped = true;
      this.say(answer.outrun ? "outrun" : "refused");
    }
  }

  // What is under way is waited for: the form has to carry what its own saving made of the draft.
  // What was not saved yet is saved first, so that the page stays where a session or the network
  // has ended, with all that was entered.
  async submitted(event) {
    const isSaved = this.edits === this.savedEdits || this.stopped || this.hasFile();
    if (!this.sending && !this.ended && (isSaved || this.tried)) {
      clearTimeout(this.timer);
      this.leaving = true;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    await (this.sending || this.save());
    this.tried = !["ended", "offline"].includes(this.state.dataset.state);
    if (this.tried) setTimeout(() => this.form.requestSubmit(event.submitter));
  }

  say(state, further = []) {
    this.state.dataset.state = state;
    this.state.textContent = [this.state.dataset[state], ...further].join(" ");
  }
}

// This page as the server has it now, or null where it does not show it.
async function freshPage() {
  try {
    const answer = await fetch(location.href, { redirect: "manual" });
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  } catch {
    return null;
  }
}

// Have every form carry the token of the session that is there now; whether there is one.
async function renewTokens() {
  const page = await freshPage();
  const token = page?.querySelector("form.settings [name=csrf]")?.value;
  if (!token) return false;
  for (const field of all("[name=csrf]")) field.value = token;
  return true;
}

// What the server says beside fields, such as of colours that would be hard to read.
async function showNotes() {
  if (!document.querySelector("[data-fresh]")) return;
  const page = await freshPage();
  for (const note of page ? all("[data-fresh]") : []) {
    const fresh = page.getElementById(note.id);
    if (fresh) note.replaceChildren(...fresh.childNodes);
  }
}

// The same page of the portal again, as the draft is now.
function showPreview() {
  const choice = document.querySelector("form[data-preview-choice]");
  if (choice) choice.requestSubmit();
  else for (const frame of all("iframe[data-preview]")) frame.src = frame.src;
}

// Put each sentence below its field; those whose field is not on the page are answered.
function showMistakes(form, mistakes) {
  for (const old of all(".mistake", form)) old.remove();
  for (const holder of all(".wrong", form)) holder.classList.remove("wrong");
  for (const field of all("[aria-describedby]", form)) {
    const kept = field.getAttribute("aria-describedby").split(" ");
    describe(field, kept.filter((id) => !id.startsWith("mistake-")));
    field.removeAttribute("aria-invalid");
  }
  return Object.entries(mistakes).flatMap(([name, text]) => {
    const field = document.getElementById(name);
    const holder = field && field.closest(".field, td");
    if (!holder || !form.contains(holder)) return [text];
    const told = document.createElement("span");
    told.className = "mistake";
    told.id = `mistake-${name}`;
    told.textContent = text;
    holder.append(told);
    holder.classList.add("wrong");
    const kept = (field.getAttribute("aria-describedby") || "").split(" ").filter(Boolean);
    describe(field, [...kept, told.id]);
    if (field.matches("input, select, textarea")) field.setAttribute("aria-invalid", "true");
    return [];
  });
}

function describe(field, ids) {
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
}

for (const form of all("form[data-autosave]")) new Autosave(form);
