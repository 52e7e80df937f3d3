/** What stands where a secret stood. */
export const REDACTED = '[redacted]';

/** Shorter texts are not masked: they would also hide ordinary words. Configured secrets have 8 characters or more. */
const MIN_SECRET_LENGTH = 4;

/** A token that was made by this program: it is none that is configured, and known by its form alone. */
const MADE_TOKEN = 'podup_[A-Za-z0-9_-]{43}';

/**
 * Makes a function that replaces every occurrence of a secret in a text, also where it stands JSON-escaped (once or
 * twice), URL-encoded, or in Base64 of either alphabet, there also as a part of a longer encoded text such as
 * `user:secret`. Cost: one pass over the text.
 */
export function maskSecrets(secrets: readonly string[]): (text: string) => string {
  const forms = new Set(
    secrets.filter((secret) => secret.length >= MIN_SECRET_LENGTH).flatMap(formsOf),
  );
  // The longest first, so that no form is cut short by another that begins alike.
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  const pattern = new RegExp([...longestFirst.map(escapePattern), MADE_TOKEN].join('|'), 'g');
  return (text) => text.replaceAll(pattern, REDACTED);
}

function formsOf(secret: string): string[] {
  const escaped = escapeJson(secret);
  const encoded = encodeURIComponent(secret.toWellFormed());
  return [
    secret,
    escaped,
    escapeJson(escaped),
    encoded,
    encoded.replaceAll('%20', '+'),
    ...base64Forms(secret),
  ];
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/**
 * Base64 carries three bytes in four characters, so the same secret looks different after each of three lengths of
 * preceding text. Of each only the characters that the secret alone decides are taken.
 */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const whole = [bytes.toString('base64'), bytes.toString('base64url')];
  const parts = [0, 1, 2].flatMap((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor((shifted.length * 8) / 6);
    return [
      shifted.toString('base64').slice(from, to),
      shifted.toString('base64url').slice(from, to),
    ];
  });
  return [...whole, ...parts];
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
