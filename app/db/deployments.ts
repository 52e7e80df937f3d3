import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { OpenDeployment } from '../domain/deployment.ts';
import type { LastDeployment } from '../domain/reconcile.ts';
import type { Database } from './open-database.ts';

/** An open deployment as it is stored; `dependents` is JSON. Written before the unit is touched. */
export type DeploymentRow = Omit<OpenDeployment, 'dependents'> & {
  readonly task_id: string;
  readonly dependents: string;
  readonly updated_at: number;
};

/** The deployments table: one row for each task that came as far as to touch its unit. */
export type DeploymentTable = {
  find(taskId: string): DeploymentRow | undefined;
  /** Replaces what an earlier attempt of the same task has written. */
  save(row: DeploymentRow): void;
  /** What an earlier task of the unit, which is over, has left open; the latest. */
  findAbandoned(unit: string, taskId: string): DeploymentRow | undefined;
  /** Whether a deployment of another task that is not over needs this local image, as what comes or what was. */
  isNeeded(imageId: string, taskId: string): boolean;
  /** How long the unit was down, in milliseconds: from the order to restart it until it was up. */
  noteDown(taskId: string, ms: number): void;
  /** Whether a task that brought this image to the unit has succeeded. */
  isProven(unit: string, imageId: string): boolean;
  /** Of the newest deployments of a unit that came up, at most `limit`; in milliseconds. */
  listDowns(unit: string, limit: number): readonly number[];
  /** What the last deployment of each unit that is over has left it with. */
  listLast(): readonly (LastDeployment & { readonly unit: string; readonly taskId: string })[];
  /** Why the task of an open deployment does not go on with it; one that goes back keeps its own cause. */
  setCause(taskId: string, code: ErrorCode, detail: string): void;
  /** Another task has taken over what others have left open of the unit. */
  endAbandoned(unit: string, taskId: string): void;
};

const COLUMNS = `task_id, unit, image, wanted_digest, wanted_image_id, restart_unit, write_image, is_brought, former_image_id, former_digest, held_as, dependents, stage,
  cause_code, cause_detail, updated_at`;

type LastRow = Pick<
  DeploymentRow,
  'unit' | 'task_id' | 'image' | 'cause_code' | 'wanted_image_id' | 'former_image_id'
> & { readonly is_proven: 0 | 1 };

/** Prepares the statements of the table. */
export function openDeploymentTable(database: Database): DeploymentTable {
  const find = database.prepare<[string], DeploymentRow>(
    `SELECT ${COLUMNS} FROM deployments WHERE task_id = ?`,
  );
  const others = `unit = ? AND stage <> 'ended' AND task_id <> ? AND (SELECT status FROM tasks
    WHERE tasks.id = task_id) NOT IN ('pending', 'running')`;
  const findAbandoned = database.prepare<[string, string], DeploymentRow>(
    `SELECT ${COLUMNS} FROM deployments WHERE ${others} ORDER BY updated_at DESC, task_id DESC LIMIT 1`,
  );
  const endAbandoned = database.prepare(`UPDATE deployments SET stage = 'ended' WHERE ${others}`);
  const setCause = database.prepare(`UPDATE deployments SET cause_code = ?, cause_detail = ?
    WHERE task_id = ? AND stage <> 'ended' AND cause_code IS NULL`);
  const save = database.prepare(
    `INSERT INTO deployments (task_id, unit, image, wanted_digest, wanted_image_id, restart_unit, write_image, is_brought, former_image_id, former_digest, held_as,
       dependents, stage, cause_code, cause_detail, updated_at)
     VALUES (@task_id, @unit, @image, @wanted_digest, @wanted_image_id, @restart_unit, @write_image, @is_brought, @former_image_id, @former_digest, @held_as,
       @dependents, @stage, @cause_code, @cause_detail, @updated_at)
     ON CONFLICT (task_id) DO UPDATE SET image = excluded.image, wanted_digest = excluded.wanted_digest,
       wanted_image_id = excluded.wanted_image_id, restart_unit = excluded.restart_unit, write_image = excluded.write_image, is_brought = excluded.is_brought,
       former_image_id = excluded.former_image_id, former_digest = excluded.former_digest,
       held_as = excluded.held_as, dependents = excluded.dependents, stage = excluded.stage,
       cause_code = excluded.cause_code, cause_detail = excluded.cause_detail, updated_at = excluded.updated_at`,
  );
  const isNeeded = database
    .prepare<
      [string, string, string],
      number
    >(`SELECT EXISTS (SELECT 1 FROM deployments WHERE stage <> 'ended'
      AND task_id <> ? AND (wanted_image_id = ? OR former_image_id = ?))`)
    .pluck();
  const noteDown = database.prepare('UPDATE deployments SET down_ms = ? WHERE task_id = ?');
  const listDowns = database
    .prepare<[string, number], number>(`SELECT down_ms FROM deployments
      WHERE unit = ? AND down_ms IS NOT NULL ORDER BY updated_at DESC, task_id DESC LIMIT ?`)
    .pluck();
  const isProven = database
    .prepare<[string, string], number>(`SELECT 1 FROM deployments JOIN tasks ON tasks.id = task_id
      WHERE deployments.unit = ? AND wanted_image_id = ? AND tasks.status = 'succeeded' LIMIT 1`)
    .pluck();
  const listLast = database.prepare<
    [],
    LastRow
  >(`SELECT deployments.unit, task_id, deployments.image, cause_code,
    wanted_image_id, former_image_id, tasks.status = 'succeeded' AS is_proven, max(deployments.updated_at)
    FROM deployments JOIN tasks ON tasks.id = task_id WHERE stage = 'ended' GROUP BY deployments.unit`);
  return {
    listLast: () =>
      listLast.all().map((row) => ({
        ...{ unit: row.unit, taskId: row.task_id, image: row.image },
        isProven: row.is_proven === 1,
        hasGoneBack: row.cause_code !== null,
        wantedImageId: row.wanted_image_id,
        formerImageId: row.former_image_id,
      })),
    isProven: (unit, imageId) => isProven.get(unit, imageId) === 1,
    isNeeded: (imageId, taskId) => isNeeded.get(taskId, imageId, imageId) === 1,
    noteDown: (taskId, ms) => void noteDown.run(ms, taskId),
    listDowns: (unit, limit) => listDowns.all(unit, limit),
    find: (taskId) => find.get(taskId),
    setCause: (taskId, code, detail) => void setCause.run(code, detail, taskId),
    save: (row) => void save.run(row),
    findAbandoned: (unit, taskId) => findAbandoned.get(unit, taskId),
    endAbandoned: (unit, taskId) => void endAbandoned.run(unit, taskId),
  };
}
