import * as z from 'zod';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { isTag } from '../domain/image-reference.ts';
import { type Answer, ask, type RegistryAccess, reach } from './ask-registry.ts';
import { explainStatus } from './explain-failure.ts';

/** The tags of a repository. */
export type TagList = {
  readonly tags: readonly string[];
  /** There are more than were read. */
  readonly isCut: boolean;
};

const PAGE = 1_000;
const MAX_PAGES = 20;
const MAX_TAGS = 50_000;
const MAX_PAGE_BYTES = 4_194_304;
const LIST = z.object({ tags: z.array(z.string()).nullish() });
/** RFC 8288, as far as registries use it: `</v2/name/tags/list?last=b&n=1000>; rel="next"`. */
const NEXT = /<([^<>]+)>[^,]*;\s*rel="?next"?/i;

/**
 * Lists the tags of the repository (OCI distribution specification, "Listing Tags"), page after page along the links of
 * the registry, which may lead to no other host: at most 20 pages of 4 MiB, and 50,000 tags.
 */
export async function listTags(access: RegistryAccess): Promise<Outcome<TagList>> {
  const { repository } = access.location.image;
  const question = {
    method: 'GET',
    accept: 'application/json',
    maxBodyBytes: MAX_PAGE_BYTES,
  } as const;
  const tags: string[] = [];
  let asked = await reach(question, `/v2/${repository}/tags/list?n=${PAGE}`, access);
  for (let page = 1; ; page++) {
    if (!asked.ok) return asked;
    const read = readPage(asked.value, repository);
    if (!read.ok) return read;
    tags.push(...read.value.tags);
    const { next } = read.value;
    if (!next || tags.length > MAX_TAGS || page === MAX_PAGES) {
      return succeed({ tags: tags.slice(0, MAX_TAGS), isCut: next !== undefined });
    }
    asked = await ask(question, { ...asked.value.target, url: next }, access);
  }
}

type Page = { readonly tags: readonly string[]; readonly next: URL | undefined };

function readPage({ response, target }: Answer, repository: string): Outcome<Page> {
  const { host } = response.url;
  if (response.status !== 200) return explainStatus(response, `the tags of ${repository}`);
  const list = LIST.safeParse(parseJson(response.body.toString('utf8')));
  if (!list.success) {
    return fail('REGISTRY_RESPONSE_INVALID', `${host} sent no list of tags for ${repository}.`);
  }
  const link = NEXT.exec(response.header('link') ?? '')?.[1];
  const next = link === undefined ? null : URL.parse(link, response.url);
  // Where it leads elsewhere the token must not go, nor an honest registry.
  if (next && next.origin !== target.url.origin) {
    return fail('REGISTRY_RESPONSE_INVALID', `${host} has the rest of its tags at another place.`);
  }
  const tags = (list.data.tags ?? []).filter(isTag);
  return succeed({ tags, next: next ?? undefined });
}
