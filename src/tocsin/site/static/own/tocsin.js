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
    place.scrollIntoView();
    const fields = [...place.querySelectorAll("input:not([type=hidden]), select, textarea, button, a")];
    (fields.find((field) => field.offsetParent) || place).focus();
  };

  const acts = {
    j: () => move(1),
    k: () => move(-1),
    a: () => go("answer"),
    l: () => go("links"),
    "?": () => keys && (keys.open ? keys.close() : keys.showModal()),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

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

  document.querySelectorAll("[data-without-script]").forEach((part) => { part.hidden = true; });

  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
    setTimeout(() => { delete event.target.dataset.sent; }, 3000);
  });
})();
