// Makes the console's pages smoother; none of them needs it.
"use strict";

const PAUSE_MS = 1200;
const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 30000;

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Saving settings in the background

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
    window.addEventListener("beforeunload", (event) => {
      if (!this.leaving && this.edits !== this.savedEdits) event.preventDefault();
    });
    window.addEventListener("pageshow", () => (this.leaving = false));
  }

  edited(field) {
    this.edits += 1;
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

  // What the server says, or null where it was not reached.
  async send() {
    const fields = [...new FormData(this.form)].filter(([, value]) => typeof value === "string");
    try {
      const answer = await fetch(this.form.action, {
        method: "POST",
        headers: { "x-autosave": "1" },
        body: new URLSearchParams(fields),
        redirect: "manual",
      });
      if (answer.status >= 500 || answer.status === 429) return null;
      const isTold = (answer.headers.get("content-type") || "").startsWith("application/json");
      return isTold ? await answer.json() : {};
    } catch {
      return null;
    }
  }

  answered(answer, edits) {
    if (answer.saved) {
      this.form.elements.namedItem("seen").value = answer.seen;
      if (!this.hasFile()) this.savedEdits = edits;
      showMistakes(this.form, {});
      this.say(this.hasFile() ? "file" : edits === this.edits ? "saved" : "unsaved");
      for (const mark of all("[data-unpublished]")) mark.hidden = false;
      showPreview();
    } else if (answer.mistakes && !answer.outrun) {
      this.say("wrong", showMistakes(this.form, answer.mistakes));
    } else {
      this.stopped = true;
      this.say(answer.outrun ? "outrun" : "refused");
    }
  }

  // What is under way is waited for: the form has to carry what its own saving made of the draft.
  async submitted(event) {
    if (!this.sending) {
      clearTimeout(this.timer);
      this.leaving = true;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    await this.sending;
    setTimeout(() => this.form.requestSubmit(event.submitter));
  }

  say(state, further = []) {
    this.state.dataset.state = state;
    this.state.textContent = [this.state.dataset[state], ...further].join(" ");
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

// The rows of a table that is a form: `<tbody data-rows="plans">` with a `<template>` for a new one

const NUMBERED = ["name", "id", "for", "aria-describedby", "data-colour-of"];

function renumber(body) {
  const prefix = body.dataset.rows;
  const place = new RegExp(`${prefix.replace(/[.[\]]/g, "\\$&")}\\[(?:\\d+|__|~\\d+)\\]`, "g");
  // Over names that no row has: two rows of one name would share their radio buttons.
  for (const mark of ["~", ""]) {
    [...body.rows].forEach((row, index) => {
      for (const attribute of NUMBERED) {
        for (const part of all(`[${attribute}]`, row)) {
          const value = part.getAttribute(attribute);
          part.setAttribute(attribute, value.replace(place, `${prefix}[${mark}${index}]`));
        }
      }
    });
  }
  const last = body.rows.length - 1;
  [...body.rows].forEach((row, index) => {
    for (const button of all('[data-row="up"]', row)) button.disabled = index === 0;
    for (const button of all('[data-row="down"]', row)) button.disabled = index === last;
  });
}

function changeRows(body, focus) {
  renumber(body);
  focus?.focus();
  body.dispatchEvent(new Event("input", { bubbles: true }));
}

function addRow(body) {
  body.append(body.querySelector("template").content.cloneNode(true));
  const row = body.rows[body.rows.length - 1];
  reveal(row);
  changeRows(body, row.querySelector("input:not([type=hidden]), select, textarea"));
}

function actOnRow(button) {
  const row = button.closest("tr");
  const body = row.parentElement;
  const other = { up: row.previousElementSibling, down: row.nextElementSibling }[button.dataset.row];
  if (button.dataset.row === "remove") {
    const near = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    const next = near?.matches("tr") && near.querySelector('[data-row="remove"]');
    changeRows(body, next || document.querySelector(`[data-add="${body.dataset.rows}"]`));
  } else if (other?.matches("tr")) {
    if (button.dataset.row === "up") other.before(row);
    else other.after(row);
    changeRows(body, button);
    // At the end of the table the button is off; the keyboard stays in the row.
    if (button.disabled) row.querySelector("[data-row]:enabled")?.focus();
  }
}

// What only a script can do shows only with one.
function reveal(root) {
  for (const part of all("[data-colour-of], [data-copy], [data-add], .row-acts", root)) {
    part.hidden = false;
  }
}

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return; // It is selected: the keyboard copies it.
  }
  const words = button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => (button.textContent = words), 2000);
}

reveal(document);
for (const form of all("form[data-autosave]")) new Autosave(form);
for (const body of all("[data-rows]")) renumber(body);
document.getElementById("mistakes")?.focus();

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.row) actOnRow(button);
  else if (button?.dataset.add) addRow(document.querySelector(`[data-rows="${button.dataset.add}"]`));
  else if (button?.dataset.copy) copy(button);
  for (const open of all("details[data-closes][open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of all("details[data-closes][open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

document.addEventListener("input", ({ target }) => {
  if (target.form?.matches("[data-preview-choice]")) showPreview();
  const text = target.dataset.colourOf && document.getElementById(target.dataset.colourOf);
  if (text) text.value = target.value;
  const picker = target.id && document.querySelector(`[data-colour-of="${CSS.escape(target.id)}"]`);
  if (picker && /^#[0-9a-f]{6}$/i.test(target.value)) picker.value = target.value;
});

// A second click must not send a form twice. The server is safe from it; the button shows it.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
});

// The way into a customer's portal goes on by itself, and no button leads back to it.
document.querySelector("form[data-goes-on]")?.submit();

// A page that comes back out of the browser's memory can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of all("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});
