"use strict";

// Before the page is drawn, so that a chosen theme never flashes; without a choice the system's counts.
try {
  const chosen = localStorage.getItem("civitai-mock.theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is off in this browser: the system's theme stays.
}

// Browsers look for the icon anew at each address of the page, of which its relative link holds for the first alone.
const icon = document.querySelector("link[rel=icon]");
if (icon) icon.href = icon.href;
