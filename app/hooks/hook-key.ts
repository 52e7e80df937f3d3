import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { createDurably } from '../../shared/fs/durable-file.ts';

/** The key by which secrets are sealed that senders sign with. It is in no database and in no backup of one. */
export type HookKey = {
  /** Known in public: which key a secret was sealed with. */
  readonly id: string;
  readonly bytes: Buffer;
};

/** Where the key comes from: from the settings, else from its file, which is made when it is needed first. */
export type HookKeySource = {
  /** PODUP_HOOK_KEY: 64 hex digits. */
  readonly given?: string | undefined;
  readonly path: string;
};

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';
const FORM = /^[0-9a-f]{64}$/i;
const MAX_FILE_BYTES = 1_024;

/** The key of this host; undefined where none has been needed yet. A file that holds none is left alone. */
export function readHookKey({ given, path }: HookKeySource): Outcome<HookKey | undefined> {
  if (given !== undefined) return succeed(toKey(given));
  try {
    const { size } = statSync(path);
    const text = size > MAX_FILE_BYTES ? '' : readFileSync(path, 'utf8').trim();
    return FORM.test(text)
      ? succeed(toKey(text))
      : fail('HOOK_KEY_UNUSABLE', `${path} holds no key.`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return succeed(undefined);
    return fail('HOOK_KEY_UNUSABLE', `${path}: ${code}.`);
  }
}

/** The same, and where there is none yet a new one is made, durably, before anything is sealed with it. */
export function obtainHookKey(source: HookKeySource): Outcome<HookKey> {
  const read = readHookKey(source);
  if (!read.ok) return read;
  if (read.value) return succeed(read.value);
  try {
    createDurably(source.path, `${randomBytes(KEY_BYTES).toString('hex')}\n`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process was faster: its key is the one.
    if (code !== 'EEXIST') return fail('HOOK_KEY_UNUSABLE', `${source.path}: ${code}.`);
  }
  const made = readHookKey(source);
  if (!made.ok) return made;
  return made.value ? succeed(made.value) : fail('HOOK_KEY_UNUSABLE', `${source.path} is gone.`);
}

function toKey(hex: string): HookKey {
  const bytes = Buffer.from(hex, 'hex');
  const id = createHash('sha256').update('hook key\n').update(bytes).digest('hex').slice(0, 16);
  return { id, bytes };
}

/** Seals a secret (AES-256-GCM: nonce, text, tag); it can be opened as that of `context` only. */
export function seal(key: HookKey, secret: string, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.bytes, nonce);
  cipher.setAAD(Buffer.from(context));
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, text, cipher.getAuthTag()]);
}

/** Opens what was sealed; undefined with another key, for another context, and where a bit has changed. */
export function unseal(key: HookKey, sealed: Buffer, context: string): string | undefined {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv(CIPHER, key.bytes, sealed.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const text = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
