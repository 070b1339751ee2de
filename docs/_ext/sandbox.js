// The platform sandboxes published pages (ADR 32): localStorage, which the theme and the search ask for, and forms are refused.
try {
  void window.localStorage;
} catch {
  const kept = new Map();
  const storage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, String(value)),
    removeItem: (key) => void kept.delete(key),
  };
  Object.defineProperty(window, "localStorage", { value: storage });
  document.addEventListener("keydown", (event) => {
    const form = event.key === "Enter" && event.target.form;
    if (form) {
      event.preventDefault();
      window.location.assign(`${form.action}?${new URLSearchParams(new FormData(form))}`);
    }
  });
}
