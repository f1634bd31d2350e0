// Makes the console's pages smoother; none of them needs it.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

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

// The buttons of a table that send the form: afterwards the keyboard goes on in the same row.

const PRESSED = "pressed-row";

function keepPressed({ submitter }) {
  if (submitter?.name === "row") {
    sessionStorage.setItem(PRESSED, `${location.pathname} ${submitter.value}`);
  }
}

function focusPressed() {
  const [path, value] = (sessionStorage.getItem(PRESSED) || "").split(" ");
  sessionStorage.removeItem(PRESSED);
  if (path !== location.pathname) return;
  const [act, place] = value.split(":");
  const row = { up: place - 1, down: Number(place) + 1 }[act] ?? place;
  const buttons = all("[name=row]:enabled");
  const near = [`${act}:${row}`, `up:${row}`, `down:${row}`, `${act}:${row - 1}`];
  const pressed = near.map((it) => buttons.find((button) => button.value === it)).find(Boolean);
  const last = buttons.filter((button) => button.value.startsWith("remove:")).pop();
  const added = last?.closest(".plan-row").querySelector("select, summary");
  (act === "add" ? added : pressed)?.focus();
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
for (const body of all("[data-rows]")) renumber(body);
focusPressed();
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
  keepPressed(event);
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
