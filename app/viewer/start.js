/* global SwaggerUIBundle */
SwaggerUIBundle({
  dom_id: '#viewer',
  url: 'openapi.json',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null, // the one it knows is on another host
});
