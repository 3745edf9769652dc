// What Jekyll's Liquid makes of an include. The engine is LiquidJS, with the one filter that is Jekyll's own.
// Standard input: {"includes": its folder, "call": the template that calls it, "page": …, "site": …}.
const { readFileSync } = require("node:fs");
const { Liquid } = require("liquidjs");

const { includes, call, page, site } = JSON.parse(readFileSync(0, "utf8"));
const engine = new Liquid({
  root: includes,
  jekyllInclude: true,
  dynamicPartials: false,
  strictFilters: true, // else a filter that it does not know changes nothing
  strictVariables: true,
});
engine.registerFilter("relative_url", (path) => new URL(site.baseurl + path, "http://localhost").pathname);
process.stdout.write(engine.parseAndRenderSync(call, { page, site }));
