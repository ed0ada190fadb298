import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE = 5 * 60; // seconds

/** `headers`: names in small letters. `body`: a Buffer, exactly as it came. */
export function isGenuine(headers, body, secret, now = Date.now() / 1000) {
  // An old delivery that somebody sends again. Number(undefined) is no number.
  const age = Math.abs(now - Number(headers['webhook-timestamp']));
  if (!(age <= TOLERANCE)) return false;

  const hmac = createHmac('sha256', secret).update(body).digest('hex');
  const expected = Buffer.from(`sha256=${hmac}`);
  // Two signatures, separated by a comma, while a secret is replaced.
  const given = String(headers['x-feedbackpro-signature']).split(',');
  return given.some((one) => {
    const bytes = Buffer.from(one.trim());
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}
