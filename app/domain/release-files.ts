/** The name of this program, in manifests and files. */
export const PRODUCT = 'pod-upgrade-trigger';

/** What stands behind the name of the program in the names of the files that belong to it. */
export const CHECKSUM_SUFFIX = '.sha256';
export const MANIFEST_SUFFIX = '.manifest.json';
export const SIGNATURE_SUFFIX = '.manifest.json.sig';

/** What decides which program a host can run. */
export type Host = {
  /** As `process.platform` and `process.arch`. */
  readonly platform: string;
  readonly arch: string;
  /** Whether its C library is glibc. */
  readonly isGlibc: boolean;
};

/** The name of a host's kind, as releases name it; it tells what was built for which. */
export function platformOf({ platform, arch, isGlibc }: Host): string {
  const cpu = { x64: 'x86_64', arm64: 'aarch64' }[arch] ?? arch;
  return `${cpu}-unknown-${platform}-${isGlibc ? 'gnu' : 'other'}`;
}

/** The kinds of hosts that programs are built for. */
const OFFERED: readonly string[] = ['x86_64-unknown-linux-gnu'];

/** The name of the program file for a platform; undefined where none is built. */
export function programAsset(platform: string): string | undefined {
  return OFFERED.includes(platform) ? `${PRODUCT}-${platform}` : undefined;
}
