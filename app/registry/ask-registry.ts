import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { ImageReference } from '../domain/image-reference.ts';
import { type Authorization, answerChallenge, type ChallengeContext } from './answer-challenge.ts';
import type { CredentialReaders } from './read-credentials.ts';
import type { ReachedRegistry } from './registry-connections.ts';
import type { ImageLocation } from './registry-rules.ts';
import type { RegistryAsker, RegistryResponse } from './registry-session.ts';
import type { TokenMemory } from './token-memory.ts';

/** How the registry of one image is asked. */
export type RegistryAccess = {
  readonly session: RegistryAsker;
  /** How it answered a question before, by the same connections; it is written there. Without a memory only. */
  readonly reached?: Pick<ReachedRegistry, 'openOrigin'>;
  /** Ends what is asked: a deadline, or the caller giving up. */
  readonly signal: AbortSignal;
  readonly location: ImageLocation;
  readonly authFiles: readonly string[];
  readonly readers: CredentialReaders;
  readonly onSecret: ChallengeContext['onSecret'];
  /** What is known of the registry from a question before; absent: nothing, and each question stands alone. */
  readonly memory?: AccessMemory | undefined;
};

/** What one question of a registry teaches the next one. */
export type AccessMemory = { readonly tokens: TokenMemory; place?: Promise<Outcome<Place>> };

/** Where a registry answers, and the challenge that it begins with; none where it lets anybody in. */
type Place = { readonly origin: string; readonly challenged?: RegistryResponse };

/** What is asked for, whatever its place. */
export type Question = {
  readonly method: 'HEAD' | 'GET';
  readonly accept: string;
  readonly maxBodyBytes: number;
};

/** Where something is asked for, and with what authorization so far. */
export type Target = { readonly url: URL; readonly authorization?: Authorization };

/** An answer, and what was asked in the end. */
export type Answer = { readonly target: Target; readonly response: RegistryResponse };

const HUB = 'docker.io';
const HUB_ENDPOINT = 'registry-1.docker.io';

/** The host, with a port where it has one, that serves what a registry holds. */
export function endpointOf(image: ImageReference): string {
  return image.registry === HUB ? HUB_ENDPOINT : image.registry;
}

/**
 * The first question for a path of the registry. An insecure registry is tried by https without verification and then by
 * plain http, as podman does (containers-registries.conf(5), `insecure`). With a memory the registry is asked once how it
 * wants to be asked (`GET /v2/`), and then each question carries its authorization from the start.
 */
export async function reach(
  question: Question,
  path: string,
  access: RegistryAccess,
): Promise<Outcome<Answer>> {
  const { location, memory } = access;
  const base = `https://${endpointOf(location.image)}`;
  if (!memory) return reachAgain(question, path, base, access);
  const place = await findPlace(base, access, memory);
  if (!place.ok) return place;
  const { origin, challenged } = place.value;
  const url = new URL(path, origin);
  if (!challenged) return ask(question, { url }, access);
  const answered = await answer(challenged, access);
  if (answered.ok) return ask(question, { url, authorization: answered.value }, access);
  // One that asks for a password at its door may show a public image all the same.
  return isBearer(challenged) ? answered : ask(question, { url }, access);
}

function isBearer(challenged: RegistryResponse): boolean {
  return /\bbearer\b/i.test(challenged.header('www-authenticate') ?? '');
}

/** At most one look at a time; a failure is no knowledge. */
async function findPlace(
  base: string,
  access: RegistryAccess,
  memory: AccessMemory,
): Promise<Outcome<Place>> {
  const looking = memory.place ?? lookForPlace(base, access);
  memory.place = looking;
  const place = await looking;
  if (!place.ok && memory.place === looking) delete memory.place;
  return place;
}

async function lookForPlace(base: string, access: RegistryAccess): Promise<Outcome<Place>> {
  const door: Question = { method: 'GET', accept: 'application/json', maxBodyBytes: 65_536 };
  const looked = await reachPlainly(new URL('/v2/', base), access.location, (url) =>
    send(door, { url }, access),
  );
  if (!looked.ok) return looked;
  const { asked, response } = looked.value;
  const isOwn = response.url.origin === asked.origin;
  const isChallenge = response.status === 401 && isOwn;
  return succeed({ origin: asked.origin, ...(isChallenge && { challenged: response }) });
}

/** In the clear where it has let anybody in so before, and without credentials; wherever that is not enough, anyhow. */
async function reachAgain(
  question: Question,
  path: string,
  base: string,
  access: RegistryAccess,
): Promise<Outcome<Answer>> {
  const { reached } = access;
  if (reached?.openOrigin !== undefined) {
    const open = { ...access, authFiles: [] };
    const asked = await ask(question, { url: new URL(path, reached.openOrigin) }, open);
    if (asked.ok && asked.value.response.status === 200) return asked;
    delete reached.openOrigin;
  }
  const answered = await reachAnyhow(question, new URL(path, base), access);
  if (reached && answered.ok && isOpenInTheClear(answered.value)) {
    reached.openOrigin = answered.value.target.url.origin;
  }
  return answered;
}

function isOpenInTheClear({ target, response }: Answer): boolean {
  const isOpen = response.status === 200 && target.authorization === undefined;
  return isOpen && target.url.protocol === 'http:';
}

async function reachAnyhow(
  question: Question,
  url: URL,
  access: RegistryAccess,
): Promise<Outcome<Answer>> {
  const reached = await reachPlainly(url, access.location, async (at) => {
    const asked = await ask(question, { url: at }, access);
    return asked.ok ? succeed({ ...asked.value.response, answer: asked.value }) : asked;
  });
  return reached.ok ? succeed(reached.value.response.answer) : reached;
}

async function reachPlainly<T extends RegistryResponse>(
  url: URL,
  { insecure }: ImageLocation,
  look: (url: URL) => Promise<Outcome<T>>,
): Promise<Outcome<{ readonly asked: URL; readonly response: T }>> {
  const secure = await look(url);
  if (secure.ok) return succeed({ asked: url, response: secure.value });
  if (secure.failure.code !== 'REGISTRY_UNREACHABLE' || !insecure) return secure;
  const plainUrl = new URL(`http://${url.href.slice('https://'.length)}`);
  const plain = await look(plainUrl);
  if (plain.ok) return succeed({ asked: plainUrl, response: plain.value });
  if (plain.failure.code !== 'REGISTRY_UNREACHABLE') return plain;
  const details = `By https: ${secure.failure.detail} By http: ${plain.failure.detail}`;
  return fail('REGISTRY_UNREACHABLE', details);
}

/** Asks, and answers one challenge on the way: that of a token that no longer holds, too, where it came from memory. */
export async function ask(
  question: Question,
  target: Target,
  access: RegistryAccess,
): Promise<Outcome<Answer>> {
  const first = await send(question, target, access);
  if (!first.ok) return first;
  const response = first.value;
  const isFromMemory = access.memory !== undefined;
  if (response.status !== 401 || (target.authorization && !isFromMemory)) {
    return succeed({ target, response });
  }
  if (target.authorization) access.memory?.tokens.forget(target.authorization.header);
  // What a redirect led to may hand out anonymous tokens of its own, but never sees the registry's credentials.
  const isOwn = response.url.origin === target.url.origin;
  const answered = await answer(response, isOwn ? access : { ...access, authFiles: [] });
  if (!answered.ok) return answered;
  // Basic credentials that were refused are refused again.
  if (answered.value.header === target.authorization?.header) return succeed({ target, response });
  const authorized = { url: response.url, authorization: answered.value };
  const second = await send(question, authorized, access);
  return second.ok ? succeed({ target: authorized, response: second.value }) : second;
}

function answer(response: RegistryResponse, access: RegistryAccess) {
  return answerChallenge(response, {
    session: access.session,
    image: access.location.image,
    authFiles: access.authFiles,
    readers: access.readers,
    signal: access.signal,
    onSecret: access.onSecret,
    tokens: access.memory?.tokens,
  });
}

function send(
  { method, accept, maxBodyBytes }: Question,
  target: Target,
  { session, signal }: RegistryAccess,
): Promise<Outcome<RegistryResponse>> {
  const { url, authorization } = target;
  return session.send({
    ...{ method, url, maxBodyBytes, signal, headers: { accept } },
    ...(authorization && { authorization: authorization.header }),
  });
}
