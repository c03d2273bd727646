"use strict";

// Before the page is drawn, so that a chosen theme never flashes; without a choice the system's counts.
try {
  const chosen = localStorage.getItem("civitai-mock.theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is off in this browser: the system's theme stays.
}
