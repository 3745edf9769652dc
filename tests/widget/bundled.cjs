// The manual's components as a bundler gives them to a browser: CommonJS, without JSX and templates.
// Standard input: {"jsx": …} or {"vue": …, "config": …}, the texts of the manual's examples.
const { readFileSync } = require("node:fs");
const ts = require("typescript");

/** @param {string} text */
function plain(text) {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, jsx: ts.JsxEmit.ReactJSX };
  return ts.transpileModule(text, { fileName: "recipe.jsx", compilerOptions }).outputText;
}

/**
 * What the configuration tells Vue's plugin.
 * @param {string} config
 */
function told(config) {
  /** @type {any} */
  const made = { exports: {} };
  const plugin = { __esModule: true, default: (/** @type {any} */ options) => options };
  new Function("module", "exports", "require", plain(config))(made, made.exports, () => plugin);
  return made.exports.default.plugins[0].template;
}

/**
 * A component of one file, its template compiled into its script.
 * @param {string} text
 * @param {string} config
 */
function compiled(text, config) {
  const { parse, compileScript } = require("vue/compiler-sfc");
  const template = told(config);
  const { descriptor, errors } = parse(text, { templateParseOptions: template.compilerOptions }); // as the plugin does
  if (errors.length) throw errors[0];
  return compileScript(descriptor, { id: "recipe", inlineTemplate: true, templateOptions: template }).content;
}

const { jsx, vue, config } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(plain(jsx ?? compiled(vue, config)));
