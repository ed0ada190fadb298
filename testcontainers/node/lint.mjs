// Lints OpenAPI and AsyncAPI documents: node lint.mjs FILE... Exits with 1 for any finding.
import { createConfig, formatProblems, getTotals, lint } from '@redocly/openapi-core';

const config = await createConfig({
  extends: ['recommended'],
  rules: {
    // Where the services are is a matter of settings; the defaults are the quickstart's.
    'no-server-example.com': 'off',
    // It would close each branch of a `oneOf`, and with that all of it.
    'no-invalid-media-type-examples': { severity: 'warn', allowAdditionalProperties: true },
    // It does not look into `contentSchema`, which says what the lines of NDJSON are.
    'no-unused-components': 'off',
  },
});
let findings = 0;
for (const ref of process.argv.slice(2)) {
  const problems = await lint({ ref, config });
  const totals = getTotals(problems);
  findings += totals.errors + totals.warnings;
  formatProblems(problems, { totals, format: 'stylish', version: '' });
}
process.exitCode = findings === 0 ? 0 : 1;
