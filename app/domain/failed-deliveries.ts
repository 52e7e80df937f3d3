/** One attempt of GitHub to deliver, as its API lists it. Times are milliseconds since the epoch, by GitHub's clock. */
export type DeliveryAttempt = {
  /** Of this attempt; it may be larger than a number can be. */
  readonly id: string;
  /** Of the delivery, the same for each attempt. */
  readonly guid: string;
  readonly deliveredAt: number;
  /** What it was answered with; anything but 2xx where it failed. */
  readonly statusCode: number;
  readonly event: string;
};

/** What is known of a delivery that was asked for again. `askedAt` is by our clock. */
export type AskedBefore = { readonly times: number; readonly askedAt: number };

/** What there is to go by. */
export type DeliverySituation = {
  /** GUIDs that this host has from that hook, whatever it made of them. */
  readonly here: ReadonlySet<string>;
  readonly asked: ReadonlyMap<string, AskedBefore>;
  readonly nowMs: number;
  /** So many may be asked for again now. */
  readonly room: number;
};

/** A delivery that is to be asked for again, by its newest attempt. */
export type DeliveryAgain = DeliveryAttempt & { readonly times: number };

/** What follows from a list of attempts. */
export type AgainDecision = {
  /** The oldest first, so that pushes come in their order. */
  readonly again: readonly DeliveryAgain[];
  /** Were asked for as often as that is done, and failed each time. */
  readonly givenUp: readonly DeliveryAttempt[];
  /** Failed and are to be looked at in a later run: there was no room, or they were asked for a moment ago. */
  readonly later: number;
  /** What was delivered before is settled: acknowledged, here, or given up. Undefined where nothing was listed. */
  readonly settledUntil: number | undefined;
};

/** Each delivery is asked for again so often. */
export const MAX_TIMES = 3;
/** Between two times: the attempt may not be listed yet, or not be over. */
export const AGAIN_AFTER_MS = 600_000;
/** What a push is told by; of other events nothing would come. */
const EVENTS: ReadonlySet<string> = new Set(['package', 'registry_package']);

/** Which failed deliveries are asked for again: those whose newest attempt failed and that have not arrived all the same. */
export function chooseAgain(
  attempts: readonly DeliveryAttempt[],
  { here, asked, nowMs, room }: DeliverySituation,
): AgainDecision {
  const deliveries = [...Map.groupBy(attempts, ({ guid }) => guid).values()]
    .map(toDelivery)
    .sort((one, other) => one.firstAt - other.firstAt || compareIds(one.newest, other.newest));
  const failed = deliveries.filter(
    ({ newest: { statusCode, event, guid } }) =>
      EVENTS.has(event) && (statusCode < 200 || statusCode > 299) && !here.has(guid),
  );
  const timesOf = ({ guid }: DeliveryAttempt) => asked.get(guid)?.times ?? 0;
  const open = failed.filter(({ newest }) => timesOf(newest) < MAX_TIMES);
  const again = open
    .filter(({ newest: { guid } }) => isDue(asked.get(guid), nowMs))
    .slice(0, Math.max(room, 0))
    .map(({ newest }) => ({ ...newest, times: timesOf(newest) + 1 }));
  const newestAt = attempts.reduce<number | undefined>(
    (last, { deliveredAt }) => Math.max(last ?? deliveredAt, deliveredAt),
    undefined,
  );
  return {
    again,
    givenUp: failed.filter((one) => !open.includes(one)).map(({ newest }) => newest),
    later: open.length - again.length,
    settledUntil: open[0]?.firstAt ?? newestAt,
  };
}

/** By a clock that was set back since, it was asked for in a time to come. */
function isDue(before: AskedBefore | undefined, nowMs: number): boolean {
  return before === undefined || Math.abs(nowMs - before.askedAt) >= AGAIN_AFTER_MS;
}

function toDelivery(
  attempts: readonly [DeliveryAttempt, ...DeliveryAttempt[]] | DeliveryAttempt[],
) {
  const [first, ...others] = attempts as [DeliveryAttempt, ...DeliveryAttempt[]];
  return {
    firstAt: others.reduce((at, one) => Math.min(at, one.deliveredAt), first.deliveredAt),
    newest: others.reduce((last, one) => (isNewer(one, last) ? one : last), first),
  };
}

function isNewer(one: DeliveryAttempt, other: DeliveryAttempt): boolean {
  return (
    one.deliveredAt - other.deliveredAt > 0 ||
    (one.deliveredAt === other.deliveredAt && compareIds(one, other) > 0)
  );
}

/** Decimal digits without leading zeros. */
function compareIds({ id: one }: DeliveryAttempt, { id: other }: DeliveryAttempt): number {
  return one.length - other.length || (one < other ? -1 : Number(one > other));
}
