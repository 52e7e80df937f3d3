/**
 * A thread with registries on loopback, so that they do not work where their clients are measured. Every second one wants
 * tokens. It is told what they hold, and tells what they were asked.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { startLoopbackRegistry } from '../helpers/loopback-registry.ts';

/** What the thread is started with. */
export type RegistriesData = { readonly count: number; readonly latencyMs: number };

/** What it is told: what one registry holds, or to tell what all were asked since it was last told so. */
export type RegistriesMessage =
  | {
      readonly kind: 'hold';
      readonly registry: number;
      readonly name: string;
      readonly manifest: { readonly type: string; readonly body: string; readonly digest: string };
      readonly config: { readonly digest: string; readonly body: string };
    }
  | { readonly kind: 'tell' };

const { count, latencyMs } = workerData as RegistriesData;
const login = { username: 'nobody', password: 'knows-it' };
const registries = await Promise.all(
  Array.from({ length: count }, (_, at) =>
    startLoopbackRegistry({ latencyMs, ...(at % 2 === 0 && { login }) }),
  ),
);
parentPort?.on('message', (message: RegistriesMessage) => {
  if (message.kind === 'hold') {
    const { registry: at, name, manifest, config } = message;
    registries[at]?.manifests
      .set(name, manifest)
      .set(name.replace(/:.*/, `@${manifest.digest}`), manifest);
    registries[at]?.blobs.set(config.digest, config.body);
    return;
  }
  parentPort?.postMessage(registries.map(({ asked }) => asked.splice(0)));
});
parentPort?.postMessage(registries.map(({ host }) => host));
