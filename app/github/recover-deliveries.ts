import type { GithubHook } from '../../shared/contract/github-hook.ts';
import type { Failure } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import {
  chooseAgain,
  type DeliveryAgain,
  type DeliveryAttempt,
} from '../domain/failed-deliveries.ts';
import { makeSystemEvent } from '../events/system-event.ts';
import type { DeliveriesApi } from './deliveries-api.ts';

/** What a look works with. */
export type RecoveryParts = {
  readonly store: Pick<Store, 'githubDeliveries' | 'events' | 'transact'>;
  readonly api: DeliveriesApi;
  readonly hooks: readonly GithubHook[];
  /** Ends it between two questions. */
  readonly signal: AbortSignal;
  readonly note: (level: 'info' | 'warning', summary: string, meta: object) => void;
};

/** What a look came to. */
export type Recovery = {
  readonly asked: number;
  /** Of hooks that could not be asked, or not to the end. */
  readonly failures: number;
};

/** GitHub keeps deliveries for about as long. */
const LOOK_BACK_MS = 3 * 86_400_000;
/** A hook that has sent more since is read so far. */
const MAX_PAGES = 20;
/** At most so many are asked for again in one look, of all hooks together. */
const MAX_AGAIN = 50;
const FORGOTTEN_AFTER_MS = 30 * 86_400_000;
/** What one hook comes to says nothing of the next. */
const OF_ONE_HOOK: ReadonlySet<string> = new Set([
  'GITHUB_ACCESS_DENIED',
  'GITHUB_HOOK_NOT_FOUND',
  'GITHUB_ANSWER_INVALID',
]);

/**
 * Reads what each hook has delivered since what is settled, and has GitHub deliver again what failed and has not arrived here.
 * That a delivery is asked for is in the database before it is: a crash in between counts.
 */
export async function recoverDeliveries(parts: RecoveryParts): Promise<Recovery> {
  const { store, hooks, signal, note } = parts;
  store.githubDeliveries.forgetBefore(Date.now() - FORGOTTEN_AFTER_MS);
  let [asked, failures] = [0, 0];
  for (const hook of hooks) {
    if (signal.aborted) break;
    const looked = await lookAt(parts, hook, MAX_AGAIN - asked);
    asked += looked.asked;
    const { failure } = looked;
    if (!failure || signal.aborted) continue;
    failures++;
    noteFailure(parts, hook, failure);
    if (!OF_ONE_HOOK.has(failure.code)) break;
  }
  const unanswered = failures === 0 ? '' : ` ${failures} hooks without an answer.`;
  const summary = `Of ${hooks.length} hooks of GitHub ${asked} deliveries were asked for again.${unanswered}`;
  note(asked > 0 ? 'warning' : 'info', summary, { hooks: hooks.length, asked, failures });
  return { asked, failures };
}

type Looked = { readonly asked: number; readonly failure?: Failure };

async function lookAt(parts: RecoveryParts, hook: GithubHook, room: number): Promise<Looked> {
  const { store, note } = parts;
  const listed = await listSince(parts, hook);
  if (listed.failure) return { asked: 0, failure: listed.failure };
  const { attempts } = listed;
  const guids = [...new Set(attempts.map(({ guid }) => guid))];
  const decision = chooseAgain(attempts, {
    here: store.githubDeliveries.findHere(hook.id, guids),
    asked: store.githubDeliveries.findAsked(hook.id, guids),
    ...{ nowMs: Date.now(), room },
  });
  for (const { guid } of decision.givenUp) {
    const said = `Delivery ${guid} of ${hook.name} failed each time and is not asked for again.`;
    note('warning', said, { hook: hook.name, delivery: guid });
  }
  const look = { settledUntil: decision.settledUntil, failure: null };
  store.githubDeliveries.noteLook(hook.name, hook.id, look);
  let asked = 0;
  for (const one of decision.again) {
    if (parts.signal.aborted) break;
    const failure = await askAgain(parts, hook, one);
    if (failure) return { asked, failure };
    asked++;
  }
  return { asked };
}

type Listed = { readonly attempts: readonly DeliveryAttempt[]; readonly failure?: Failure };

/** The attempts since what is settled, newest first. */
async function listSince(
  { store, api, signal, note }: RecoveryParts,
  hook: GithubHook,
): Promise<Listed> {
  const attempts: DeliveryAttempt[] = [];
  const settled = store.githubDeliveries.find(hook.name)?.settled_until ?? 0;
  const since = Math.max(settled, Date.now() - LOOK_BACK_MS);
  let page: URL | undefined;
  for (let pages = 1; ; pages++) {
    const resting = restOf(api);
    if (resting) return { attempts, failure: resting };
    const listed = await api.list(hook, page);
    if (!listed.ok) return { attempts, failure: listed.failure };
    const { attempts: more, next } = listed.value;
    const wanted = more.filter(({ deliveredAt }) => deliveredAt >= since);
    attempts.push(...wanted);
    if (!next || wanted.length < more.length || signal.aborted) return { attempts };
    if (pages === MAX_PAGES) {
      const said = `${hook.name} has delivered more than was read; what is older is left alone.`;
      note('warning', said, { hook: hook.name, attempts: attempts.length });
      return { attempts };
    }
    page = next;
  }
}

async function askAgain(
  { store, api, note }: RecoveryParts,
  hook: GithubHook,
  { id, guid, event, statusCode, deliveredAt, times }: DeliveryAgain,
): Promise<Failure | undefined> {
  const resting = restOf(api);
  if (resting) return resting;
  store.githubDeliveries.ask(hook.id, guid, Date.now());
  const asked = await api.again(hook, id);
  const about = { hook: hook.name, delivery: guid, event, status_code: statusCode };
  const meta = { ...about, delivered_at: new Date(deliveredAt).toISOString(), times };
  if (!asked.ok) {
    const { code } = asked.failure;
    if (code === 'GITHUB_UNREACHABLE' || code === 'GITHUB_RATE_LIMITED') {
      store.githubDeliveries.unask(hook.id, guid);
    }
    return asked.failure;
  }
  store.events.insertAll([
    makeSystemEvent('delivery-asked-again', 'missed-deliveries', { status: 202, meta }),
  ]);
  note('warning', `Delivery ${guid} of ${hook.name} had failed and was asked for again.`, meta);
  return undefined;
}

function restOf(api: DeliveriesApi): Failure | undefined {
  const retryAfterMs = api.restMs(Date.now());
  if (retryAfterMs === undefined) return undefined;
  const detail = `It is asked again in ${Math.ceil(retryAfterMs / 1_000)} s.`;
  return { code: 'GITHUB_RATE_LIMITED', detail, retryAfterMs };
}

/** An event where it is another one than the last time. A hook that is not there any more says anew whose it is. */
function noteFailure({ store, note }: RecoveryParts, hook: GithubHook, failure: Failure): void {
  const { code, detail } = failure;
  const { githubDeliveries } = store;
  const meta = { hook: hook.name };
  store.transact(() => {
    const isNews = githubDeliveries.find(hook.name)?.failure !== code;
    githubDeliveries.noteLook(hook.name, hook.id, { failure: code });
    if (code === 'GITHUB_HOOK_NOT_FOUND') githubDeliveries.unlearn(hook.name);
    if (!isNews) return;
    store.events.insertAll([
      makeSystemEvent('github-not-asked', 'missed-deliveries', { failure, meta }),
    ]);
  });
  note('warning', `${hook.name} could not be asked: ${code} ${detail}`, { ...meta, code });
}
