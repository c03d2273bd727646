"use strict";

const place = document.getElementById("swagger-ui");
const root = new URL(".", new URL(place.dataset.openapi, location.href)).href;

SwaggerUIBundle({
  domNode: place,
  url: place.dataset.openapi,
  validatorUrl: null, // it would send the address of the description to swagger.io
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  requestInterceptor: (request) => {
    // The description knows no prefix of a proxy, so that a tried call would go past it.
    if (!request.url.startsWith(root)) request.url = request.url.replace(location.origin + "/", root);
    return request;
  },
});
