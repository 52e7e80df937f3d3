import { arch, platform, report } from 'node:process';
import { platformOf } from '../../domain/release-files.ts';

/** The kind of this host, as releases name it. */
export function hostPlatform(): string {
  return platformOf({ platform, arch, isGlibc: readGlibcVersion() !== undefined });
}

/** The version of glibc that this process runs with; undefined with another C library. */
function readGlibcVersion(): string | undefined {
  // Otherwise the report looks up names of network addresses.
  Object.assign(report, { excludeNetwork: true });
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime;
}
