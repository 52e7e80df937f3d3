import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { fail, formatFailure } from '../../shared/contract/outcome.ts';
import { parseUnitName } from '../../shared/contract/unit-name.ts';
import type { ServicesView, ServiceView } from '../api/service-views.ts';
import { REFUSALS } from '../domain/unit-triggers.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson, sayFailure } from './output/say.ts';
import { findScreen } from './output/screen.ts';
import { formatTable } from './output/table.ts';

/** Options of `units list`. */
export type ListUnitsOptions = {
  readonly discover?: boolean;
  readonly refresh?: boolean;
  readonly json?: boolean;
};

/** Options of `units show`. */
export type ShowUnitOptions = ListUnitsOptions;

const TRIGGERS = ['person', 'batch', 'webhook', 'schedule'] as const;

/** `units list`: what the service knows of units. */
export async function listUnits(options: ListUnitsOptions, calling: Calling): Promise<ExitCode> {
  const answer = await callService(calling, { path: pathOf(options) });
  if (!answer.isGood) return answer.exit;
  const view = answer.body as ServicesView;
  if (options.json) {
    printJson(view);
    return EXIT.ok;
  }
  if (view.services.length === 0) print('No unit is listed, and none was found.');
  else print(formatUnits(view.services));
  for (const line of describeSweeps(view)) print(line);
  return EXIT.ok;
}

function pathOf({ discover, refresh }: ListUnitsOptions): string {
  const looks = [...(refresh ? ['refresh=1'] : []), ...(discover ? ['discover=1'] : [])];
  return ['/api/manual/services', looks.join('&')].filter(Boolean).join('?');
}

function formatUnits(services: readonly ServiceView[]): string {
  const rows = services.map((service) => [
    service.unit,
    service.source === 'manual' ? 'listed' : 'found',
    service.found.map(({ source }) => source).join(',') || 'nowhere',
    TRIGGERS.filter((trigger) => service.may[trigger].allowed).join(',') || 'nobody',
    service.update.status,
    service.default_image ?? '',
  ]);
  const head = ['UNIT', 'KNOWN', 'WHERE', 'DEPLOYED BY', 'UPDATE', 'IMAGE'];
  return formatTable(rows, { head, screen: findScreen() });
}

/** What a person should know of the looks that the list rests on. */
function describeSweeps({ discovery }: ServicesView): readonly string[] {
  const { sources, is_looking: isLooking } = discovery;
  const failing = sources.flatMap(({ source, error, failing_since: since }) =>
    error === null
      ? []
      : [
          `${source} cannot be looked into since ${formatTime(since ?? '')}: ${formatFailure(error)}`,
        ],
  );
  const never = sources.length === 0 ? ['Nothing was looked for yet: --discover does.'] : [];
  return [...failing, ...never, ...(isLooking ? ['A look is on its way.'] : [])];
}

/** `units show UNIT`. */
export async function showUnit(
  name: string,
  options: ShowUnitOptions,
  calling: Calling,
): Promise<ExitCode> {
  const answer = await callService(calling, { path: pathOf(options) });
  if (!answer.isGood) return answer.exit;
  const { services } = answer.body as ServicesView;
  const unit = parseUnitName(name);
  const service = services.find((one) => one.unit === unit);
  if (!service) {
    return sayFailure(fail('UNIT_NOT_CONFIGURED', `${name.slice(0, 255)}.`).failure, options.json);
  }
  if (options.json) printJson(service);
  else print(describeUnit(service));
  return EXIT.ok;
}

function describeUnit(service: ServiceView): string {
  const { unit, source, default_image: image, github_path: hook, found, update } = service;
  const known = source === 'manual' ? 'listed in PODUP_MANUAL_UNITS' : 'found on the host';
  const { error } = update;
  const lines = [
    `${unit}, ${known}`,
    `  image      ${image ?? 'not known'}`,
    `  update     ${update.status}${error === null ? '' : ` (${error.code}: ${error.sentence})`}`,
    `  webhook    ${hook}`,
    ...found.flatMap((place) => [
      `  ${place.source.padEnd(10)} ${place.path ?? place.image ?? ''}, since ${formatTime(place.first_seen_at)}`,
      ...(place.fault === null ? [] : [`             ${place.fault}`]),
    ]),
    ...(found.length === 0 ? ['  It was not found on the host.'] : []),
    ...TRIGGERS.map((trigger) => {
      const { allowed, reason } = service.may[trigger];
      return `  ${trigger.padEnd(10)} ${allowed ? 'may deploy it' : `may not: ${reason && REFUSALS[reason]}`}`;
    }),
  ];
  return lines.map((line) => line.replaceAll(/\p{Cc}/gu, ' ')).join('\n');
}
