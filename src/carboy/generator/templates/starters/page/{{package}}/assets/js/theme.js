/* The colours somebody chose before, in place before anything is shown. */

(function () {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") {
      document.documentElement.dataset.theme = chosen;
    }
  } catch {
    // A browser that keeps nothing shows the colours of the system.
  }
})();
