import {
  type ImageReference,
  parseQualifiedReference,
  repositoryOf,
  tagOf,
} from './image-reference.ts';

const MAX_LENGTH = 300;
const FORM = /^[a-z0-9.*_-]+(?::[0-9]+)?(?:\/[a-z0-9.*_-]+)+(?::[A-Za-z0-9_.*-]{1,128})?$/;

/**
 * Whether a text is a pattern of images: the registry and the repository, where `*` stands for any characters but a slash, and a last
 * part `**` for everything below; then, if the tag matters, `:` and the tag, where `*` stands for any characters. Examples:
 * `ghcr.io/acme/web`, `ghcr.io/acme/*`, `registry.example:5000/**`, `ghcr.io/acme/web:v1.*`.
 */
export function isImagePattern(text: string): boolean {
  if (text.length > MAX_LENGTH || !FORM.test(text)) return false;
  const parts = splitPattern(text).repository.split('/');
  if (parts.slice(0, -1).some((part) => part.includes('**'))) return false;
  if (parts.at(-1)?.includes('**') && parts.at(-1) !== '**') return false;
  // What could be the first part of a path on Docker Hub is no registry.
  const [host = ''] = parts;
  return host === '*' || parseQualifiedReference(`${host.replaceAll('*', 'x')}/a/b`) !== undefined;
}

/** Whether a pattern allows the repository of an image, whatever the tag. */
export function allowsRepository(
  pattern: string,
  image: Pick<ImageReference, 'registry' | 'repository'>,
): boolean {
  const { repository } = splitPattern(pattern);
  const name = repositoryOf(image).split('/');
  const parts = repository.split('/');
  const isOpen = parts.at(-1) === '**';
  const fixed = isOpen ? parts.slice(0, -1) : parts;
  if (isOpen ? name.length <= fixed.length : name.length !== fixed.length) return false;
  return fixed.every((part, index) => matchesGlob(part, name[index] ?? ''));
}

/** Whether a pattern allows an image with its tag, which is `latest` where it has none. */
export function allowsImage(pattern: string, image: ImageReference): boolean {
  const { tag } = splitPattern(pattern);
  return allowsRepository(pattern, image) && (tag === undefined || matchesGlob(tag, tagOf(image)));
}

function splitPattern(pattern: string): { repository: string; tag: string | undefined } {
  const colon = pattern.indexOf(':', pattern.lastIndexOf('/'));
  return colon === -1
    ? { repository: pattern, tag: undefined }
    : { repository: pattern.slice(0, colon), tag: pattern.slice(colon + 1) };
}

/** In time of at most the product of both lengths, whatever the pattern: after each `*` only the last one is tried anew. */
function matchesGlob(glob: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  for (let index = 0; index < text.length; ) {
    if (glob[at] === '*') {
      star = at++;
      retry = index;
    } else if (glob[at] === text[index]) {
      at++;
      index++;
    } else if (star === -1) return false;
    else {
      at = star + 1;
      index = ++retry;
    }
  }
  return /^\**$/.test(glob.slice(at));
}
