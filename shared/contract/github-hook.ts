/** A webhook of GitHub, as its API finds it. */
export type GithubHook = {
  /** `OWNER/REPO/HOOK_ID`, or `orgs/ORG/HOOK_ID`. */
  readonly name: string;
  /** The number that GitHub gave it, as `X-GitHub-Hook-ID` says it. */
  readonly id: string;
  /** Where the API has it, below its base URL. */
  readonly path: string;
};

const OWNER = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?$/;
const REPOSITORY = /^(?!\.{1,2}$)[\w.-]{1,100}$/;
const ID = /^[1-9]\d{0,18}$/;

/** Reads the name of a hook; undefined for anything that the path of a URL should not be made of. */
export function parseGithubHook(name: string): GithubHook | undefined {
  const [owner = '', second = '', id = '', ...rest] = name.split('/');
  if (rest.length > 0 || !ID.test(id)) return undefined;
  // No account can be called that: the API has its own things there.
  if (owner === 'orgs') {
    return OWNER.test(second) ? { name, id, path: `/orgs/${second}/hooks/${id}` } : undefined;
  }
  if (!OWNER.test(owner) || !REPOSITORY.test(second)) return undefined;
  return { name, id, path: `/repos/${owner}/${second}/hooks/${id}` };
}
