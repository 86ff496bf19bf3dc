// Runs before anything is drawn, so that no page flashes in the wrong light.
"use strict";
{
  const wish = localStorage.getItem("theme");
  if (wish === "dark" || wish === "light") {
    document.documentElement.dataset.theme = wish;
  }
}
