"use strict";

// Swagger UI is dark where its page has this class; the browser says what the reader wants.
const wantsDark = window.matchMedia("(prefers-color-scheme: dark)");
const choose = () => document.documentElement.classList.toggle("dark-mode", wantsDark.matches);
wantsDark.addEventListener("change", choose);
choose();

SwaggerUIBundle({
  url: document.getElementById("api").dataset.document,
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  // Its default sends the document's address to a server of others.
  validatorUrl: null,
});
