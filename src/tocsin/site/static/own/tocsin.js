// Comforts upon pages that work without them: keys, copy buttons, forms that are sent once.
(() => {
  "use strict";

  const rows = () => [...document.querySelectorAll("[data-row] a[data-open]")];
  const keys = document.getElementById("keys");

  const move = (step) => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
    if (next) next.focus();
  };

  const go = (id) => {
    const place = document.getElementById(id);
    if (!place) return;
    if (place.closest("#many")) choose(true);
    if (place.tagName === "DETAILS") place.open = true;
    place.scrollIntoView();
    const fields = [...place.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")];
    const shown = fields.filter((field) => field.offsetParent);
    const first = shown[0]?.type === "radio" ? shown.find((field) => field.checked) || shown[0] : shown[0];
    (first || place).focus();
  };

  const here = () => document.activeElement.closest("[data-row]");

  // Choose the row that has the focus; `only` where nothing is chosen yet.
  const choose = (only) => {
    const many = document.getElementById("many");
    if (!many || (only && many.querySelector("[name=case]:checked"))) return;
    const row = here() || (only ? null : document.querySelector("[data-row]"));
    const box = row && row.querySelector("[name=case]");
    if (!box) return;
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change", { bubbles: true }));
    if (!here()) row.querySelector("[data-open]").focus();
  };

  // What carries the key itself: in the row that has the focus, or the first on the page.
  const press = (key) => {
    const found = (here() && here().querySelector(`[data-key="${key}"]`)) || document.querySelector(`[data-key="${key}"]`);
    if (!found) return false;
    if (found.form && found.form.id === "many") choose(true);
    found.click();
    return true;
  };

  const acts = {
    j: () => move(1),
    k: () => move(-1),
    x: () => choose(false),
    a: () => go("answer"),
    d: () => go("assess"),
    l: () => (document.getElementById("links") ? go("links") : press("l")),
    "/": () => { const field = document.querySelector("[role=search] input"); if (field) { field.focus(); field.select(); } },
    "?": () => keys && (keys.open ? keys.close() : keys.showModal()),
  };

  // Single keys can be turned off, for whoever speaks to the machine or presses them by accident.
  let off = false;
  try { off = localStorage.getItem("tocsin-keys") === "off"; } catch { /* a browser that keeps nothing */ }
  const turn = document.getElementById("keys-off");
  if (turn) {
    turn.hidden = false;
    turn.checked = off;
    turn.addEventListener("change", () => {
      off = turn.checked;
      try { localStorage.setItem("tocsin-keys", off ? "off" : "on"); } catch { /* for this page alone */ }
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "Enter" && event.target.form) {
      event.preventDefault();
      const inside = event.target.closest("details");
      event.target.form.requestSubmit((inside && inside.querySelector("button")) || undefined);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || (off && event.key !== "?")) return;
    if (event.target.closest("select, textarea, input:not([type=radio]):not([type=checkbox])")) return;
    const act = acts[event.key];
    if (act) {
      event.preventDefault();
      act();
    } else if (/^[a-z]$/.test(event.key) && press(event.key)) {
      event.preventDefault();
    }
  });

  // How many are chosen is said, and the row shows it.
  const many = document.getElementById("many");
  if (many) {
    const said = many.querySelector("[data-chosen]");
    const count = () => {
      const chosen = many.querySelectorAll("[name=case]:checked").length;
      said.textContent = chosen ? `(${chosen} chosen)` : "(none chosen yet)";
    };
    many.addEventListener("change", count);
    count();
  }

  document.querySelectorAll("[data-copy]").forEach((text) => {
    if (!navigator.clipboard) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "t-linkbutton t-copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${text.textContent}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    text.after(button);
  });

  // The words of an outcome follow the choice as long as nobody has changed them.
  document.querySelectorAll("select[data-fills]").forEach((select) => {
    const words = document.getElementById(select.dataset.fills);
    const prepared = () => select.selectedOptions[0]?.dataset.words || "";
    let last = prepared();
    select.addEventListener("change", () => {
      if (words.value.trim() === last.trim() || words.value.trim() === "") words.value = prepared();
      last = prepared();
    });
  });

  // The same for a choice of several buttons: its words fill the field named by the form.
  document.querySelectorAll("form[data-fills-from]").forEach((form) => {
    const words = document.getElementById(form.dataset.fills);
    const prepared = () => form.querySelector(`[name="${form.dataset.fillsFrom}"]:checked`)?.dataset.words || "";
    let last = words.value;
    form.addEventListener("change", (event) => {
      if (event.target.name !== form.dataset.fillsFrom) return;
      if (words.value.trim() === last.trim() || words.value.trim() === "") words.value = prepared();
      last = prepared();
    });
  });

  // What goes on while somebody looks: asked for again every so many seconds, unless it is stopped.
  document.querySelectorAll("[data-live]").forEach((part) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "t-linkbutton";
    let going = true;
    const say = () => { button.textContent = going ? "Stop keeping this up to date" : "Keep this up to date"; };
    button.addEventListener("click", () => { going = !going; say(); });
    say();
    const line = document.createElement("p");
    line.className = "govuk-body t-screen";
    line.append(button);
    part.after(line);
    setInterval(async () => {
      if (!going || document.hidden || part.contains(document.activeElement)) return;
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        if (!answer.ok || answer.redirected) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
        if (fresh) part.replaceChildren(...fresh.childNodes);
      } catch { /* the exchange is away: what was last known stays, with its time */ }
    }, 1000 * part.dataset.live);
  });

  document.querySelectorAll("[data-without-script]").forEach((part) => { part.hidden = true; });

  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
    setTimeout(() => { delete event.target.dataset.sent; }, 3000);
  });
})();
