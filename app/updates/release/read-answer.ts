import { FailureError, fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import type { HttpAnswer } from './release-http.ts';
import type { AssetAnswer, AssetWish } from './release-source.ts';

/** The whole of what comes, at most `maxBytes`. */
export async function collect(
  bytes: AsyncIterable<Uint8Array>,
  maxBytes: number,
  what: string,
): Promise<Outcome<Buffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of bytes) {
      length += chunk.byteLength;
      if (length > maxBytes) {
        return fail('RELEASE_SOURCE_INVALID', `${what} is longer than ${maxBytes} bytes.`);
      }
      chunks.push(chunk);
    }
    return succeed(Buffer.concat(chunks));
  } catch (error) {
    if (error instanceof FailureError) return { ok: false, failure: error.failure };
    throw error;
  }
}

/** What an answer to the wish for a file comes to. */
export function toAssetAnswer(answer: HttpAnswer, wish: AssetWish): Outcome<AssetAnswer> {
  const { status, header, bytes, discard } = answer;
  if (status === 200) {
    const total = parseLength(header('content-length'));
    return succeed({ kind: 'content', offset: 0, total, etag: strongTag(answer), bytes, discard });
  }
  if (status === 206) {
    const range = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(header('content-range') ?? '');
    const offset = parseLength(range?.[1]);
    if (offset === wish.offset) {
      const total = parseLength(range?.[2]);
      return succeed({ kind: 'content', offset, total, etag: strongTag(answer), bytes, discard });
    }
    discard();
    return fail(
      'RELEASE_SOURCE_INVALID',
      `${answer.url.host} sends another part than was asked for.`,
    );
  }
  discard();
  if (status === 404 || status === 410) return succeed({ kind: 'missing' });
  if (status === 416 && wish.offset > 0) return succeed({ kind: 'out-of-range' });
  return explainStatus(answer);
}

function parseLength(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Only a strong tag says that the bytes are the same (RFC 9110 §8.8.1). */
function strongTag({ header }: HttpAnswer): string | null {
  const etag = header('etag') ?? '';
  return /^"[\x21\x23-\x7e]{0,200}"$/.test(etag) ? etag : null;
}

/** The headers that ask for a part of a file. */
export function rangeHeaders({ offset, etag }: AssetWish): Record<string, string> {
  return offset > 0 && etag !== null ? { range: `bytes=${offset}-`, 'if-range': etag } : {};
}

/**
 * The failure that an unwanted status comes to. Of the answer only status and times are quoted: a hostile source could
 * send back the token that it was sent.
 */
export function explainStatus({ status, url, header }: HttpAnswer): ReturnType<typeof fail> {
  const said = `${url.host} answered ${status}`;
  if (isRateLimited(status, header)) {
    return fail(
      'RELEASE_SOURCE_INVALID',
      `${said}: it limits the rate of requests.${when(header)}`,
    );
  }
  if (status === 401 || status === 403) {
    return fail('RELEASE_SOURCE_INVALID', `${said}: it refuses access; check PODUP_RELEASE_TOKEN.`);
  }
  if (status >= 500 || status === 408) return fail('RELEASE_SOURCE_UNREACHABLE', `${said}.`);
  return fail('RELEASE_SOURCE_INVALID', `${said} for ${url.pathname}.`);
}

/** GitHub answers 403 or 429 (its manual, "Rate limits for the REST API"). */
function isRateLimited(status: number, header: HttpAnswer['header']): boolean {
  if (status === 429) return true;
  const isUsedUp = header('x-ratelimit-remaining') === '0' || header('retry-after') !== undefined;
  return status === 403 && isUsedUp;
}

function when(header: HttpAnswer['header']): string {
  const seconds = /^\d{1,9}$/.exec(header('retry-after') ?? '')?.[0];
  if (seconds !== undefined) return ` Try again in ${seconds} s.`;
  const reset = /^\d{1,11}$/.exec(header('x-ratelimit-reset') ?? '')?.[0];
  if (reset === undefined) return ' A PODUP_RELEASE_TOKEN raises the limit.';
  const time = new Date(Number(reset) * 1000).toISOString();
  return ` It ends at ${time}; a PODUP_RELEASE_TOKEN raises it.`;
}
