/* The button that changes between light and dark. Without scripts it is not there. */

document.addEventListener("DOMContentLoaded", function () {
  const button = document.querySelector(".switch");
  if (!button) {
    return;
  }
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  }

  function show() {
    const next = isDark() ? "Light" : "Dark";
    button.textContent = next;
    button.setAttribute("aria-label", `${next} colours`);
  }

  button.addEventListener("click", function () {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // It holds for this page, then.
    }
    show();
  });
  system.addEventListener("change", show);
  show();
  button.hidden = false;
});
