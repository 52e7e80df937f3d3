import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { ImageRepository } from '../domain/image-reference.ts';
import { explainStatus } from './explain-failure.ts';
import { type Challenge, parseChallenges } from './parse-challenge.ts';
import { type CredentialReaders, type Credentials, findCredentials } from './read-credentials.ts';
import {
  isAllowedScheme,
  type RegistryAsker,
  type RegistryRequest,
  type RegistryResponse,
} from './registry-session.ts';
import type { GrantedToken, TokenMemory } from './token-memory.ts';

/** An answer that asks who is there. */
export type Challenged = Pick<RegistryResponse, 'url' | 'header'>;

/** The header that answers a challenge, and whose word it carries: nobody's, or that of stored credentials. */
export type Authorization = {
  readonly header: string;
  readonly authenticated: boolean;
  readonly authFile?: string;
};

/** What is needed to answer: the connections, the image to pull, and where credentials may come from. */
export type ChallengeContext = {
  readonly session: RegistryAsker;
  readonly image: ImageRepository;
  /** Empty where the challenge comes from another host than the registry of the image: then only anonymously. */
  readonly authFiles: readonly string[];
  readonly readers: CredentialReaders;
  readonly signal: AbortSignal;
  /** Hears each secret as it is read, before it is sent: whoever writes a record must not write it there. */
  readonly onSecret?: ((secret: string) => void) | undefined;
  /** Where tokens are kept for the next question; absent: each challenge gets its own. */
  readonly tokens?: TokenMemory | undefined;
};

const CLIENT_ID = 'pod-upgrade-trigger';
const MAX_TOKEN_ANSWER_BYTES = 65_536;
/** What an answer without `expires_in` means, and the least that it may say (distribution, "Token Authentication"). */
const TOKEN_LIFE_S = 60;
/** What may stand in a header without changing its meaning. */
const SENDABLE_TOKEN = /^[\x21-\x7e]+$/;

/**
 * Answers a 401 (distribution's token authentication and RFC 7617): a bearer token of the realm that the registry
 * names, or Basic. Credentials are looked for only now, so that a broken file does not matter to public images.
 */
export async function answerChallenge(
  response: Challenged,
  context: ChallengeContext,
): Promise<Outcome<Authorization>> {
  const { host } = response.url;
  const header = response.header('www-authenticate');
  if (header === undefined) {
    return fail('REGISTRY_UNAUTHORIZED', `${host} answered 401 without a challenge.`);
  }
  const challenges = parseChallenges(header);
  if (!challenges) {
    return fail('REGISTRY_RESPONSE_INVALID', `The challenge of ${host} cannot be read.`);
  }
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (!bearer && !challenges.some(({ scheme }) => scheme === 'basic')) {
    return fail('REGISTRY_UNAUTHORIZED', `${host} asks for neither Bearer nor Basic.`);
  }
  const { image, authFiles, readers, signal } = context;
  const found = await findCredentials(image, authFiles, readers, signal);
  if (!found.ok) return found;
  if (found.value) context.onSecret?.(secretOf(found.value));
  return bearer
    ? await requestToken(bearer, found.value, response, context)
    : answerBasic(found.value, host);
}

function answerBasic(credentials: Credentials | undefined, host: string): Outcome<Authorization> {
  if (credentials?.kind !== 'password') {
    const stored = credentials ? `only an identity token (${credentials.authFile})` : 'none';
    return fail('REGISTRY_UNAUTHORIZED', `${host} asks for user and password; stored: ${stored}.`);
  }
  const { authFile } = credentials;
  return succeed({ header: formatBasic(credentials), authenticated: true, authFile });
}

function secretOf(credentials: Credentials): string {
  return credentials.kind === 'password' ? credentials.password : credentials.identityToken;
}

function formatBasic(credentials: Extract<Credentials, { kind: 'password' }>): string {
  const pair = `${credentials.username}:${credentials.password}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

async function requestToken(
  challenge: Challenge,
  credentials: Credentials | undefined,
  response: Challenged,
  context: ChallengeContext,
): Promise<Outcome<Authorization>> {
  const realm = URL.parse(challenge.parameters.get('realm') ?? '');
  if (!realm || !isAllowedScheme(realm, response.url)) {
    const { host } = response.url;
    return fail('REGISTRY_RESPONSE_INVALID', `The challenge of ${host} names no https realm.`);
  }
  const parameters = new URLSearchParams({ scope: `repository:${context.image.repository}:pull` });
  const service = challenge.parameters.get('service');
  if (service) parameters.set('service', service);
  const request = () => fetchToken(realm, parameters, credentials, context);
  if (!context.tokens) {
    const granted = await request();
    return granted.ok ? succeed(granted.value.authorization) : granted;
  }
  const whose = credentials ? secretOf(credentials) : '';
  return context.tokens.take([realm.href, parameters.toString(), whose], request);
}

async function fetchToken(
  realm: URL,
  parameters: URLSearchParams,
  credentials: Credentials | undefined,
  { session, signal, onSecret }: ChallengeContext,
): Promise<Outcome<GrantedToken>> {
  const answer = await session.send({ ...tokenRequest(realm, parameters, credentials), signal });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return explainRefusal(answer.value, credentials);
  const granted = parseToken(answer.value.body);
  if (granted === undefined) {
    return fail('REGISTRY_RESPONSE_INVALID', `The token endpoint ${realm.host} sent no token.`);
  }
  onSecret?.(granted.token);
  const authorization = {
    header: `Bearer ${granted.token}`,
    authenticated: credentials !== undefined,
    ...(credentials && { authFile: credentials.authFile }),
  };
  return succeed({ authorization, lifeMs: granted.lifeS * 1_000 });
}

/** An identity token goes into a body, never into a URL: those end up in logs. */
function tokenRequest(
  realm: URL,
  parameters: URLSearchParams,
  credentials: Credentials | undefined,
): RegistryRequest {
  const maxBodyBytes = MAX_TOKEN_ANSWER_BYTES;
  if (credentials?.kind === 'identity-token') {
    const form = new URLSearchParams(parameters);
    form.set('grant_type', 'refresh_token');
    form.set('client_id', CLIENT_ID);
    form.set('refresh_token', credentials.identityToken);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url: realm, headers, body: form.toString(), maxBodyBytes };
  }
  const url = new URL(realm);
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  const authorization = credentials && formatBasic(credentials);
  return { method: 'GET', url, maxBodyBytes, ...(authorization && { authorization }) };
}

/** Refused credentials are told, not passed over: going on without them would hide that the login is broken. */
function explainRefusal(
  response: RegistryResponse,
  credentials: Credentials | undefined,
): Outcome<never> {
  const { status, url } = response;
  // RFC 6749 §5.2: a refresh token that is not valid is answered with 400.
  const refused = credentials?.kind === 'identity-token' ? [400, 401, 403] : [401, 403];
  if (refused.includes(status)) {
    const whose = credentials ? `the credentials of ${credentials.authFile}` : 'anonymous access';
    return fail('REGISTRY_UNAUTHORIZED', `The token endpoint ${url.host} refused ${whose}.`);
  }
  if (status === 429) return explainStatus(response, 'a token');
  return fail('REGISTRY_RESPONSE_INVALID', `The token endpoint ${url.host} answered ${status}.`);
}

function parseToken(body: Buffer): { token: string; lifeS: number } | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof answer !== 'object' || answer === null) return undefined;
  const fields = answer as Readonly<Record<string, unknown>>;
  const { token, access_token: accessToken, expires_in: expiresIn } = fields;
  const value = token || accessToken;
  if (typeof value !== 'string' || !SENDABLE_TOKEN.test(value)) return undefined;
  const lifeS = typeof expiresIn === 'number' ? Math.max(expiresIn, TOKEN_LIFE_S) : TOKEN_LIFE_S;
  return { token: value, lifeS };
}
