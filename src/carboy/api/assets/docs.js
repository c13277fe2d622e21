"use strict";

const place = document.getElementById("docs");

window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  displayRequestDuration: true,
  layout: "BaseLayout",
  presets: [window.SwaggerUIBundle.presets.apis],
  // The validator badge would send the document's address to another host.
  validatorUrl: null,
});
