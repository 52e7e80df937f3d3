import { PROGRAM } from '../../shared/config/program-version.ts';
import { ERRORS } from '../../shared/contract/error-codes.ts';
import type { Failure } from '../../shared/contract/outcome.ts';
import type { HealthCheckView, HealthIssueView, HealthView } from '../api/health-views.ts';
import { type HealthComponent, type HealthState, severityOf } from '../domain/health.ts';

/** What is told of health; what was seen in detail, with paths, only where `isAdmin`. */
export function viewHealth(found: readonly HealthState[], isAdmin: boolean): HealthView {
  const issues = found
    .flatMap((state) => viewIssue(state, isAdmin) ?? [])
    .sort((a, b) => Number(a.status === 'warning') - Number(b.status === 'warning'));
  return {
    status: issues.some(({ status }) => status === 'error') ? 'degraded' : 'ok',
    version: PROGRAM.version,
    commit: PROGRAM.commit,
    checks: found.map((state) => viewCheck(state, isAdmin)),
    db: { error: errorOf(issues, 'database') },
    podman: {
      ok: errorOf(issues, 'podman') === null,
      error: errorOf(issues, 'podman'),
    },
    issues,
  };
}

function viewCheck(
  { component, failure, checkedAt }: HealthState,
  isAdmin: boolean,
): HealthCheckView {
  const checked_at = checkedAt === null ? null : new Date(checkedAt).toISOString();
  if (!failure) return { component, ok: true, checked_at };
  const ok = severityOf(failure.code) === 'warning';
  return { component, ok, code: failure.code, ...describe(failure, isAdmin), checked_at };
}

function viewIssue(
  { component, failure, since }: HealthState,
  isAdmin: boolean,
): HealthIssueView | undefined {
  if (!failure) return undefined;
  return {
    component,
    status: severityOf(failure.code),
    code: failure.code,
    ...describe(failure, isAdmin),
    since: new Date(since ?? 0).toISOString(),
  };
}

function describe({ code, detail }: Failure, isAdmin: boolean) {
  const { sentence: message, hint } = ERRORS[code];
  return { message, hint, ...(isAdmin && detail !== '' && { detail }) };
}

function errorOf(issues: readonly HealthIssueView[], component: HealthComponent): string | null {
  const issue = issues.find((one) => one.component === component && one.status === 'error');
  return issue ? `${issue.code}: ${issue.message}` : null;
}
