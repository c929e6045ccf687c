// The theme would load Mermaid from another site, unless it is there.
if (document.querySelector(".mermaid")) {
  const address = new URL("mermaid.tiny.js", document.currentScript.src);
  document.write(`<script src="${address}"></script>`);
}
