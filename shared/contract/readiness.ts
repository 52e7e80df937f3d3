/**
 * What the worker tells its supervisor over the IPC channel. Readiness is spoken by the worker; its death is learnt
 * from the kernel.
 */
export type WorkerNotice = {
  readonly kind: 'worker-ready';
  /** Version of the program that the worker runs. */
  readonly version: string;
  /** `user_version` of the database after migration. */
  readonly schema: number;
};

/** Reads a message of the worker; undefined for anything that is not exactly a known notice. */
export function parseWorkerNotice(raw: unknown): WorkerNotice | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const notice = raw as Record<string, unknown>;
  const { kind, version, schema } = notice;
  if (kind !== 'worker-ready' || typeof version !== 'string' || version.length > 100)
    return undefined;
  if (typeof schema !== 'number' || !Number.isSafeInteger(schema)) return undefined;
  return { kind, version, schema };
}
