import manifest from '../../package.json' with { type: 'json' };

/** Put in by the build; absent when the sources are run directly. */
declare const BUILD_COMMIT: string | undefined;
declare const BUILD_VERSION: string | undefined;

/** Version and commit of this program, as `--version`, the log and the API name it. */
export const PROGRAM = {
  version: typeof BUILD_VERSION === 'string' ? BUILD_VERSION : manifest.version,
  commit: typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : 'source',
} as const;
