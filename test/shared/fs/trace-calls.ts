import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const MODULE = new URL('../../../shared/fs/durable-file.ts', import.meta.url).href;
const CALLS = 'write,fsync,fdatasync,rename,renameat2,mkdir,link,linkat,unlink';

/**
 * What a snippet asks of the system below `folder` and is not refused, in order: `rename a.tmp a`, `fsync .`. The
 * snippet has the module as `durable` and the folder as `at`; the random part of a name aside is left out. Needs strace.
 */
export function traceCalls(context: TestContext, folder: string, snippet: string): string[] {
  const log = join(makeTempFolder(context), 'calls');
  const script = `import * as durable from ${JSON.stringify(MODULE)};
    const at = (name) => ${JSON.stringify(folder)} + '/' + name;
    ${snippet}`;
  execFileSync('strace', [
    ...['-f', '-y', '-e', `trace=${CALLS}`, '-o', log],
    ...[process.execPath, '--input-type=module', '-e', script],
  ]);
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => / = \d+$/.test(line))
    .flatMap((line) => readCall(line, folder.slice(-6)) ?? []);
}

/** strace writes letters beyond ASCII as octal numbers, so the folder is known by the random end of its name. */
function readCall(line: string, mark: string): string | undefined {
  const paths = [...line.matchAll(new RegExp(`[<"][^<>"]*-${mark}([^>"]*)[>"]`, 'g'))];
  if (paths.length === 0) return undefined;
  const names = paths.map(([, name = '']) => name.slice(1) || '.');
  const call = /^(?:\d+ +)?(\w+)\(/.exec(line)?.[1];
  return [call, ...names].join(' ').replaceAll(/\.\d+\.[0-9a-z]+\.tmp/g, '.*.tmp');
}
