import { createHmac } from 'node:crypto';
import { locateJson } from '../../app/domain/sources/locate-json.ts';
import type { Scheme, SourceKind } from '../../app/domain/sources/source.ts';
import { SOURCES } from '../../app/domain/sources/sources.ts';

/** A hook of the served program, and what opens it. */
export type HookSeed = {
  readonly name: string;
  readonly source: SourceKind;
  readonly scheme: Scheme;
  readonly secret: string;
};

/** What a sender adds to a delivery so that it opens the hook. */
export type Proof = {
  readonly headers: Readonly<Record<string, string>>;
  readonly pathEnd: string;
};

/** Proves a delivery as its sender does, over the bytes that are sent. */
export function proveDelivery(
  { source, scheme, secret }: HookSeed,
  contentType: string | undefined,
  body: Buffer,
): Proof {
  const { signed } = locateJson(SOURCES[source], contentType, body);
  const header = SOURCES[source].signatureHeaders.find((one) => one.scheme === scheme);
  const of = (headers: Proof['headers']) => ({ headers, pathEnd: '' });
  switch (scheme) {
    case 'hmac-sha256': {
      const hex = createHmac('sha256', secret).update(signed).digest('hex');
      return of({ [header?.name ?? '']: `${header?.prefix}${hex}` });
    }
    case 'shared-token':
      return of({ [header?.name ?? '']: secret });
    case 'authorization':
      return of({ authorization: `Bearer ${secret}` });
    case 'path-secret':
      return { headers: {}, pathEnd: `/${secret}` };
    case 'standard-webhooks':
      return of(proveByStandard(secret, body));
  }
}

function proveByStandard(secret: string, body: Buffer): Proof['headers'] {
  const id = `msg_${createHmac('sha256', 'id').update(body).digest('hex').slice(0, 20)}`;
  const at = String(Math.floor(Date.now() / 1_000));
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${at}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': `v1,${mac}` };
}
