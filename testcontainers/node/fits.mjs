// Whether values are as schemas (JSON Schema 2020-12) say: node fits.mjs FILE, which holds
// {components, checks: [{schema, value, shown}]}. Prints what does not fit and exits with 1.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const { components, checks } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
const known = new Map();
for (const { schema, value, shown } of checks) {
  const text = JSON.stringify(schema);
  if (!known.has(text)) known.set(text, ajv.compile({ allOf: [schema], components }));
  const validate = known.get(text);
  if (!validate(value)) {
    process.exitCode = 1;
    console.log(`${ajv.errorsText(validate.errors)}: ${shown}`);
  }
}
