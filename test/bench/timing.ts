/**
 * Whether the time of a refusal tells how much of a credential was right: the real checks are given wrong ones of which 0,
 * half, and all bytes but one fit, in random order and many times, and the times are compared by Welch's t. A comparison
 * that stops at the first wrong byte is measured by the same means: where it is not caught, the run proves nothing.
 * Exit code 0: nothing tells, 1: something tells, 2: the run was too noisy to catch the comparison that is known to tell.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ADMIN_ACCESS } from '../../app/domain/access.ts';
import { createAdminGate } from '../../app/http/admin-gate.ts';
import { verifyGithubSignature } from '../../app/intake/github-signature.ts';
import { compareMeans, meanOfLowerHalf } from './compare-means.ts';
import { median } from './median.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '500000' },
  },
});
const runs = Number(values.runs);

/** Beyond this it is not chance any more: the bound of ISO/IEC 17825 and of the usual tests of leaks. */
const TELLS_FROM = 4.5;
/**
 * Of each number of right bytes, each with one wrong credential. Where two credentials begin alike the processor guesses the
 * branches of reading them better: some ten nanoseconds that are no matter of the comparison.
 */
const SECRETS = 256;
const WARM_UP_RUNS = 20_000;

/** A check of a credential with a secret of its own, which every one here fails. */
type Check = {
  /** A wrong credential of which so many bytes are right, as the check takes it. */
  make(right: number): string;
  refuse(given: string): boolean;
};

type Subject = {
  readonly title: string;
  /** How long the credential is. */
  readonly bytes: number;
  /** Whether it is known to tell, so that the run can be believed. */
  readonly isControl?: true;
  open(): Check;
};

const body = Buffer.from(JSON.stringify({ action: 'published', padding: 'x'.repeat(200) }));

const SUBJECTS: readonly Subject[] = [
  { title: 'X-Hub-Signature-256', bytes: 32, open: () => checkSignature([]) },
  {
    title: 'X-Hub-Signature-256, two live secrets',
    bytes: 32,
    open: () => checkSignature(['another secret']),
  },
  {
    title: 'Authorization: Bearer',
    bytes: 64,
    open() {
      const token = randomBytes(32).toString('hex');
      const tokens = [{ name: 'PODUP_TOKEN', secret: token, access: ADMIN_ACCESS }];
      const gate = createAdminGate({ tokens });
      return {
        make: (right) => `Bearer ${wrongText(token, right)}`,
        refuse: (given) => !gate(requestWith(given)).ok,
      };
    },
  },
  {
    title: 'a comparison that stops at the first wrong byte',
    bytes: 32,
    isControl: true,
    open() {
      const secret = newSecret();
      return { make: makerOf(secret), refuse: (given) => !stopsEarly(signWith(secret), given) };
    },
  },
];

function checkSignature(others: readonly string[]): Check {
  const secret = newSecret();
  const secrets = [secret, ...others];
  return {
    make: makerOf(secret),
    refuse: (given) => verifyGithubSignature(secrets, body, given) === 'invalid',
  };
}

function newSecret(): string {
  return randomBytes(24).toString('base64url');
}

function signWith(secret: string): Buffer {
  return createHmac('sha256', secret).update(body).digest();
}

function makerOf(secret: string): Check['make'] {
  return (right) => `sha256=${wrong(signWith(secret), right).toString('hex')}`;
}

/** What must not be done. */
function stopsEarly(expected: Buffer, header: string): boolean {
  const hex = /^sha256=([0-9a-fA-F]{64})$/.exec(header)?.[1] ?? '';
  const given = Buffer.from(hex, 'hex');
  let at = 0;
  while (at < expected.length && expected[at] === given[at]) at++;
  return at === expected.length;
}

/** Bytes of which the first ones are right, the next one is wrong, and the rest is chance. */
function wrong(expected: Buffer, right: number): Buffer {
  const given = Buffer.concat([expected.subarray(0, right), randomBytes(expected.length - right)]);
  given[right] = (expected[right] ?? 0) ^ 0xff;
  return given;
}

function wrongText(expected: string, right: number): string {
  const rest = createHash('sha512').update(randomBytes(16)).digest('hex');
  return `${expected.slice(0, right)}!${rest}`.slice(0, expected.length);
}

function requestWith(authorization: string): Parameters<ReturnType<typeof createAdminGate>>[0] {
  // What the gate reads of a request, and nothing else.
  return { raw: { headers: { authorization }, socket: {} } } as never;
}

/** A wrong credential of which so many bytes are right. */
type Trial = {
  readonly right: number;
  readonly check: Check;
  readonly given: string;
  /** Of every run of it. */
  readonly nanoseconds: number[];
};

/** Runs the trials in random order: whatever the machine does meanwhile meets all alike. */
function run(trials: readonly Trial[], times: number): void {
  const picks = randomBytes(times * 4);
  for (let at = 0; at < times; at++) {
    const trial = trials[picks.readUInt32LE(at * 4) % trials.length];
    if (!trial) continue;
    const startedNs = process.hrtime.bigint();
    const isRefused = trial.check.refuse(trial.given);
    const took = Number(process.hrtime.bigint() - startedNs);
    if (!isRefused) throw new Error('A wrong credential was let in.');
    trial.nanoseconds.push(took);
  }
}

/** Compares the times of those of which something is right with the times of those of which nothing is. */
function measure({ title, bytes, open }: Subject): boolean {
  const rights = [0, Math.floor(bytes / 2), bytes - 1];
  const trials = Array.from({ length: SECRETS * rights.length }, (_, at): Trial => {
    const right = rights[at % rights.length] ?? 0;
    const check = open();
    return { right, check, given: check.make(right), nanoseconds: [] };
  });
  run(trials, WARM_UP_RUNS);
  for (const { nanoseconds } of trials) nanoseconds.length = 0;
  run(trials, runs);
  console.log(`\n${title}`);
  const bests = rights.map((right) =>
    trials
      .filter((trial) => trial.right === right)
      .map(({ nanoseconds }) => meanOfLowerHalf(nanoseconds)),
  );
  let tells = false;
  for (const [kind, right] of rights.entries()) {
    const { mean, t } = compareMeans(bests[kind] ?? [], bests[0] ?? []);
    tells ||= Math.abs(t) >= TELLS_FROM;
    const compared = kind === 0 ? '' : `, ${mean.toFixed(1)} ns beside none, t ${t.toFixed(1)}`;
    const middle = median(bests[kind] ?? []).toFixed(0);
    console.log(`  ${right} of ${bytes} bytes right: ${middle} ns${compared}`);
  }
  console.log(tells ? '  the time tells' : '  the time does not tell');
  return tells;
}

console.log(`Node ${process.version}, ${runs} refusals of each check`);
const results = SUBJECTS.map((subject) => ({ subject, tells: measure(subject) }));
const leaks = results.filter(({ subject, tells }) => tells && !subject.isControl);
const blind = results.some(({ subject, tells }) => !tells && subject.isControl);
if (blind)
  console.log(
    '\nInvalid: the comparison that is known to tell was not caught. Is the machine busy?',
  );
process.exitCode = leaks.length > 0 ? 1 : blind ? 2 : 0;
