// Runs before the first paint, so that neither theme nor sidebar flashes. Not a module: modules wait for the document.
(() => {
  const root = document.documentElement;
  /** @param {string} key */
  const stored = (key) => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is refused in some private modes; the system's theme then stays
    }
  };
  const theme = stored("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const sidebar = stored("sidebar");
  if (sidebar === "open" || sidebar === "folded") root.dataset.sidebar = sidebar;
})();
