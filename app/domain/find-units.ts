import { parseUnitName } from '../../shared/contract/unit-name.ts';
import type { FoundUnit } from './found-unit.ts';
import { findKubePlay, findRunImage, findStarted, isAutoUpdated } from './podman-run-image.ts';
import { lastOf, readMarks } from './read-marks.ts';
import { splitWords } from './split-words.ts';
import { type Assignment, readSection } from './unit-file.ts';
import { baseName, folderOf, type UnitFile, UnitFiles } from './unit-folders.ts';
import type { UnitPolicy } from './unit-policy.ts';
import { isTemplate } from './unit-template.ts';

/** Endings of the Quadlet files that a look for units needs: those that run containers, and where these have their images. */
export const QUADLET_ENDINGS = ['.container', '.kube', '.image', '.build'] as const;

const SECTION = { '.container': 'Container', '.kube': 'Kube' } as const;

/**
 * The units that Quadlet makes of the files of its folders, the folder that wins first. Those of templates are among them,
 * by the name of the template: their instances are units, as far as somebody has made one.
 */
export function findQuadletUnits(
  found: readonly UnitFile[],
  defaults: UnitPolicy,
): readonly FoundUnit[] {
  const files = new UnitFiles(found);
  return files
    .list('.container', '.kube')
    .flatMap((file) => readQuadletFile(files, file, defaults));
}

function readQuadletFile(
  files: UnitFiles,
  file: UnitFile,
  defaults: UnitPolicy,
): readonly FoundUnit[] {
  const name = baseName(file.path);
  const ending = name.endsWith('.kube') ? '.kube' : '.container';
  const stem = name.slice(0, -ending.length);
  const { text, fault } = file;
  if (text === null) return named(stem, unread(file.path, fault));
  // Empty, or a link to /dev/null: what lies in the other folders under this name counts for nothing, and nor does this.
  if (text.trim() === '') return [];
  const texts = files.textsOf(file);
  const own = texts.flatMap((one) => readSection(one, SECTION[ending]));
  const marks = readMarks(texts, defaults);
  const image = ending === '.container' ? findImage(files, own) : null;
  const unit = {
    ...{ path: file.path, image, isAutoUpdated: asksForUpdates(own) },
    ...marks,
    fault: marks.fault ?? (hasSource(own, ending) ? null : MISSING[ending]),
  };
  const chosen = lastOf(own, 'ServiceName') || stem;
  const instance = lastOf(
    texts.flatMap((one) => readSection(one, 'Install')),
    'DefaultInstance',
  );
  const isMade = instance !== undefined && instance !== '' && chosen.endsWith('@');
  return [...named(chosen, unit), ...(isMade ? named(`${chosen}${instance}`, unit) : [])];
}

const MISSING = {
  '.container': 'It names no image, so that Quadlet makes no unit of it.',
  '.kube': 'It names no file of Kubernetes, so that Quadlet makes no unit of it.',
} as const;

function hasSource(own: readonly Assignment[], ending: '.container' | '.kube'): boolean {
  const keys = ending === '.kube' ? ['Yaml'] : ['Image', 'Rootfs'];
  return keys.some((key) => lastOf(own, key));
}

function unread(path: string, fault: string | null): Omit<FoundUnit, 'unit'> {
  const nothing = { isAutoUpdated: false, hasPolicy: false, webhookEnabled: null };
  return { path, image: null, ...nothing, fault };
}

/** A unit by the name of its file; nothing where no unit can be called so. */
function named(stem: string, found: Omit<FoundUnit, 'unit'>): readonly FoundUnit[] {
  const unit = `${stem}.service`;
  return isTemplate(unit) || parseUnitName(unit) === unit ? [{ unit, ...found }] : [];
}

/** `Image=`, which may name a file that pulls or builds it; null where what it comes to cannot be told. */
function findImage(files: UnitFiles, own: readonly Assignment[]): string | null {
  const said = lastOf(own, 'Image') ?? '';
  const [key, section] = said.endsWith('.image')
    ? (['Image', 'Image'] as const)
    : (['ImageTag', 'Build'] as const);
  if (!/\.(?:image|build)$/.test(said)) return whole(said);
  const file = files.find(said);
  const texts = file ? files.textsOf(file) : [];
  return whole(
    lastOf(
      texts.flatMap((text) => readSection(text, section)),
      key,
    ),
  );
}

/** Specifiers (`%i`) are filled in by systemd only. */
function whole(image: string | undefined): string | null {
  return image === undefined || image === '' || image.includes('%') ? null : image;
}

/** `AutoUpdate=registry`, of one container of a kube file too, or the label itself. `local` wants nothing from a registry. */
function asksForUpdates(own: readonly Assignment[]): boolean {
  const said = own.filter(({ key }) => key === 'AutoUpdate').map(({ value }) => value);
  const label = own
    .filter(({ key }) => key === 'Label')
    .flatMap(({ value }) => splitWords(value) ?? [])
    .findLast((word) => word.startsWith('io.containers.autoupdate='));
  const isKube = said.some((value) => value.includes('/'));
  const wanted = isKube ? said : said.slice(-1);
  return (
    wanted.some((value) => /^(?:[^/]+\/)?(?:registry|image)$/.test(value)) ||
    /=(?:registry|image)$/.test(label ?? '')
  );
}

/**
 * The services that start a container with podman, of all those in the folders of the service manager, the folder that wins
 * first. Templates are among them as with Quadlet. A link to another name is that other unit, and left out.
 */
export function findServiceUnits(
  found: readonly UnitFile[],
  folders: readonly string[],
  defaults: UnitPolicy,
): readonly FoundUnit[] {
  const files = new UnitFiles(found);
  return files.list('.service').flatMap((file) => {
    if (file.text === null || !folders.includes(folderOf(file.path))) return [];
    if (isAlias(file, folders)) return [];
    const texts = files.textsOf(file);
    if (!texts.some((text) => text.includes('podman'))) return [];
    const commands = listCommands(texts);
    if (!commands.some(startsContainer)) return [];
    const image = commands.map(findRunImage).find((one) => one !== undefined);
    return named(baseName(file.path).slice(0, -'.service'.length), {
      ...{ path: file.path, image: whole(image), isAutoUpdated: commands.some(isAutoUpdated) },
      ...readMarks(texts, defaults),
    });
  });
}

function isAlias({ path, target }: UnitFile, folders: readonly string[]): boolean {
  const [name, real] = [baseName(path), baseName(target)];
  if (name === real || !folders.includes(folderOf(target))) return false;
  // An instance that somebody has made of its template.
  return !(isTemplate(real) && name.startsWith(real.slice(0, real.indexOf('@') + 1)));
}

function listCommands(texts: readonly string[]): readonly (readonly string[])[] {
  let lines: string[] = [];
  for (const { key, value } of texts.flatMap((text) => readSection(text, 'Service'))) {
    if (key === 'ExecStart') lines = value === '' ? [] : [...lines, value];
  }
  // What stands before a path says how it is started (systemd.service(5), COMMAND LINES).
  return lines.flatMap((line) => {
    const words = splitWords(line.replace(/^[@:+!|-]+/, ''));
    return words ? [words] : [];
  });
}

function startsContainer(argv: readonly string[]): boolean {
  return [findRunImage, findKubePlay, findStarted].some((find) => find(argv) !== undefined);
}
