// What a package of npm, named on the command line, makes of webhooks: each as its document, or null where it refuses.
// Standard input: [{"secret": …, "headers": …, "body": …}], the bodies in base64.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");

const installed = createRequire(join(__dirname, "../widget/package.json"));
const { Webhook, WebhookVerificationError } = installed(process.argv[2]);

function read({ secret, headers, body }) {
  try {
    const raw = Buffer.from(body, "base64");
    new Webhook(secret).verify(raw, headers); // one of them returns the document, one nothing
    return JSON.parse(raw);
  } catch (error) {
    if (error instanceof WebhookVerificationError) return null;
    throw error;
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(read)));
