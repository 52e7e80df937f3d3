/** What a registry or a network says that may be otherwise a moment later. */
const TRANSIENT =
  /timeout|timed out|deadline exceeded|connection (?:refused|reset)|broken pipe|\bEOF\b|temporary failure|no such host|server misbehaving|no route to host|network is unreachable|TLS handshake|INTERNAL_ERROR|toomanyrequests|too many requests|status ?code:? (?:408|429|5\d\d)|status:? (?:408|429|5\d\d)|\b50[0234] /i;

/** What stays as it is, whatever else stands beside it. */
const LASTING =
  /unauthorized|authentication required|denied|(?:manifest|name) unknown|not found|no space left|digest did not match|does not match|invalid (?:checksum|digest)|no image found in image index/i;

/** What a registry says that wants to be left alone for longer than the moment that podman waits by itself. */
const RATE_LIMITED = /toomanyrequests|too many requests|status ?code:? 429|status:? 429/i;

/**
 * Whether another try at a pull may end otherwise, by what podman printed. The name of the image is left out first: it
 * may hold any of these words.
 */
export function isTransientPullError(stderr: string, imageName: string): boolean {
  const said = withoutName(stderr, imageName);
  return !LASTING.test(said) && TRANSIENT.test(said);
}

/** Whether a pull failed, by what podman printed, because the registry limits the rate of requests. */
export function isRateLimitedPull(stderr: string, imageName: string): boolean {
  const said = withoutName(stderr, imageName);
  return !LASTING.test(said) && RATE_LIMITED.test(said);
}

function withoutName(stderr: string, imageName: string): string {
  return stderr.replaceAll(imageName, '').replaceAll(repositoryOf(imageName), '');
}

/** podman prints the name without its digest as well. */
function repositoryOf(imageName: string): string {
  return imageName.replace(/@.*$/, '');
}
