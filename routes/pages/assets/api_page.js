// Shows the OpenAPI document with Swagger UI. Nothing is requested from another host.
(async () => {
  const response = await fetch(document.querySelector('link[rel="service-desc"]').href);
  const spec = await response.json();
  // "Try it out" sends its requests to the address at which this page was opened, which may be
  // another name of the server than the one in the document.
  spec.servers = [{ url: new URL(".", location.href).href.replace(/\/$/, ""), description: "This planner." }];
  SwaggerUIBundle({
    spec,
    dom_id: "#api",
    deepLinking: true,
    displayRequestDuration: true,
    filter: true,
    defaultModelsExpandDepth: 0,
    showCommonExtensions: true,
    // Swagger UI would ask swagger.io whether the document is valid.
    validatorUrl: null,
  });
})();
