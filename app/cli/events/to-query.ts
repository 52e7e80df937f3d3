/** The options by which events are chosen, as they were given. */
export type FilterOptions = {
  readonly action?: string;
  readonly status?: string;
  readonly method?: string;
  readonly request?: string;
  readonly task?: string;
  readonly actor?: string;
  readonly path?: string;
  readonly from?: string;
  readonly to?: string;
};

/** Options as the query of the API, which reads them. */
export function toQuery({
  request,
  task,
  ...rest
}: FilterOptions & Readonly<Record<string, string | undefined>>): URLSearchParams {
  const wanted = Object.entries({ ...rest, request_id: request, task_id: task });
  return new URLSearchParams(
    wanted.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
