import type * as z from 'zod';
import { ERRORS } from '../../shared/contract/error-codes.ts';
import { type JsonSchema, toJsonSchemas } from './openapi-schemas.ts';
import { problemView } from './problem.ts';
import { type AnswerForm, isSchema, refusalsOf, type ServedForm } from './route-form.ts';

/** An OpenAPI document (https://spec.openapis.org/oas/v3.1.1), as far as it is read here. */
export type OpenApi = {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string; readonly summary: string };
  readonly tags: readonly { readonly name: string; readonly description?: string }[];
  /** By path, then by method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: JsonSchema;
  };
};

/** One route. */
export type Operation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
};

/** What a route reads beside a body. */
export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
};

/** By media type. */
export type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** What is answered with a status. */
export type OpenApiResponse = { readonly description: string; readonly content?: Content };

const PROBLEM = 'application/problem+json';

/** What the groups are, by the first part of their paths that tells them apart. */
const TAGS: Readonly<Record<string, string>> = {
  attention: 'What wants a person.',
  deliveries: 'What came in, what was made of it, what was refused, and what did not come.',
  config: 'What an interface needs before anybody has signed in.',
  'auto-update': "podman's own update, by the path of the first program.",
  deployments: "Deploying a unit at a person's word, and the plan of it.",
  events: 'Everything that happened.',
  'github-package-update': 'Where GitHub reports what was pushed.',
  health: 'What works and what does not.',
  hooks: 'Who may report images, and where they report them.',
  last_payload: 'The last webhook with a bad signature.',
  live: 'What happens, while it happens.',
  manual: 'What scripts and people have done to units.',
  metrics: 'Numbers for a monitor.',
  openapi: 'This description.',
  'prune-state': 'Removing what is older than it is kept for.',
  'image-locks': 'Images that are being deployed, and how often each was.',
  limits: 'What is let through how often, and who is not let through now.',
  quarantine: 'Images that failed and are left alone.',
  schedule: 'What begins by itself.',
  'self-update': 'Updates of the program itself.',
  session: 'Who calls, and what the caller may do.',
  settings: 'How this program is set up.',
  tokens: 'The tokens of the API.',
  tasks: 'What was, is and will be done.',
  'update-checks': 'Whether registries have something newer than what the units run.',
  version: 'Releases of the program.',
  webhooks: 'How the webhooks of the units have come in.',
};

/** Describes routes. `version` is that of the program. */
export function describeApi(forms: readonly ServedForm[], version: string): OpenApi {
  const sorted = [...forms].sort((one, other) => compare(pathOf(one), pathOf(other)));
  const given = toJsonSchemas(sorted.flatMap(listInputs), 'input');
  const answered = toJsonSchemas([...sorted.flatMap(listOutputs), problemView], 'output');
  const write = { given: given.of, answered: answered.of };
  const paths = Map.groupBy(sorted, pathOf);
  return {
    openapi: '3.1.1',
    info: {
      title: 'pod-upgrade-trigger',
      version,
      summary: 'Hears of a pushed container image, proves it, and restarts the unit that runs it.',
      license: { name: 'MIT', identifier: 'MIT' },
    } as OpenApi['info'],
    ...{ servers: [{ url: 'http://127.0.0.1:25111' }] },
    tags: [...new Set(sorted.map(tagOf))]
      .sort(compare)
      .map((name) => ({ name, ...(TAGS[name] !== undefined && { description: TAGS[name] }) })),
    paths: Object.fromEntries(
      [...paths].map(([path, ofPath]) => [
        path,
        Object.fromEntries(
          ofPath.map((form) => [form.method.toLowerCase(), describe(form, write)]),
        ),
      ]),
    ),
    components: {
      schemas: sortKeys({ ...given.named, ...answered.named }),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description:
            'PODUP_TOKEN, or a token of `pod-upgrade-trigger tokens create` with this scope.',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'podup_session',
          description:
            'What POST /api/session gives for a token. Changes need the header x-podup-csrf: 1.',
        },
        signature: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Hub-Signature-256',
          description: 'sha256=HEX, the HMAC-SHA256 of the body with the secret of the hook.',
        },
        standard: {
          ...{ type: 'apiKey', in: 'header', name: 'webhook-signature' },
          description:
            'Of https://www.standardwebhooks.com, with webhook-id and webhook-timestamp.',
        },
        authorization: { type: 'http', scheme: 'bearer', description: 'The secret of the hook.' },
      },
    },
  };
}

type Write = Record<'given' | 'answered', (schema: z.ZodType) => JsonSchema>;

/** For other kinds of schemes than OAuth2 the words are what somebody has to have (OpenAPI 3.1, Security Requirement Object). */
function describeSecurity({ needs, headers = {} }: ServedForm): Operation['security'] {
  if (needs === 'anyone') return [];
  if (needs !== 'hook') return [{ token: [needs] }, { session: [needs] }];
  // One of them, as the hook is set up; one of the path is among the parameters.
  return Object.entries(HOOK_HEADERS).flatMap(([scheme, header]) =>
    header in headers ? [{ [scheme]: [] }] : [],
  );
}

/** By which header each scheme of hooks is known. */
const HOOK_HEADERS = {
  signature: 'x-hub-signature-256',
  standard: 'webhook-signature',
  authorization: 'authorization',
} as const;

function describe(form: ServedForm, write: Write): Operation {
  const { summary, about, body, rawBody } = form;
  const parameters = describeParameters(form, write);
  return {
    operationId: idOf(form),
    tags: [tagOf(form)],
    summary,
    ...(about !== undefined && { description: about }),
    security: describeSecurity(form),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: describeBody(write.given(body)) }),
    ...(rawBody !== undefined && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { type: 'object', description: rawBody } } },
      },
    }),
    responses: { ...describeAnswers(form, write), ...describeRefusals(form, write) },
  };
}

function describeParameters({ params, query, headers = {} }: ServedForm, write: Write) {
  const read = (schema: z.ZodType | undefined, place: 'path' | 'query') =>
    schema ? splitObject(write.given(schema), place) : [];
  const fields = Object.entries(headers).map(
    ([name, description]): Parameter => ({
      name,
      in: 'header',
      required: false,
      description,
      schema: { type: 'string' },
    }),
  );
  return [...read(params, 'path'), ...read(query, 'query'), ...fields];
}

function splitObject(schema: JsonSchema, place: 'path' | 'query'): Parameter[] {
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>;
  const required = (schema['required'] ?? []) as readonly string[];
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(typeof description === 'string' && { description }),
    schema: rest,
  }));
}

/** No body at all is an empty object, which not every schema takes. */
function describeBody(schema: JsonSchema) {
  const shapes = (schema['anyOf'] ?? schema['oneOf'] ?? [schema]) as readonly JsonSchema[];
  const required = shapes.every((shape) => ((shape['required'] ?? []) as []).length > 0);
  return { required, content: { 'application/json': { schema } } };
}

function describeAnswers({ answers }: ServedForm, write: Write): Record<string, OpenApiResponse> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [status, describeAnswer(answer, write)]),
  );
}

function describeAnswer(answer: AnswerForm, write: Write): OpenApiResponse {
  if (answer === null) return { description: 'Done; there is no body.' };
  if (isSchema(answer)) {
    const schema = write.answered(answer);
    return { description: 'Done.', content: { 'application/json': { schema } } };
  }
  const events = Object.entries(answer.events ?? {}).map(
    ([name, schema]) => [name, write.answered(schema)] as const,
  );
  const content = {
    schema: { type: 'string' },
    ...(events.length > 0 && { 'x-events': Object.fromEntries(events) }),
  };
  return {
    description: answer.about,
    content: Object.fromEntries(answer.media.map((type) => [type, content])),
  };
}

function describeRefusals(form: ServedForm, write: Write): Record<string, OpenApiResponse> {
  const byStatus = Map.groupBy(new Set(refusalsOf(form)), (code) => ERRORS[code].status);
  const content = { [PROBLEM]: { schema: write.answered(problemView) } };
  const known = [...byStatus]
    .filter(([status]) => form.answers[status] === undefined)
    .map(([status, codes]) => {
      const description = codes.map((code) => `\`${code}\`: ${ERRORS[code].sentence}`).join('\n\n');
      return [String(status), { description, content }] as const;
    });
  const others = {
    default: { description: 'What the host, a registry or the supervisor came to.', content },
  };
  return { ...Object.fromEntries(known), ...(form.fails && others) };
}

function listInputs({ params, query, body }: ServedForm): readonly z.ZodType[] {
  return [params, query, body].filter((schema) => schema !== undefined);
}

function listOutputs({ answers }: ServedForm): readonly z.ZodType[] {
  return Object.values(answers).flatMap((answer) => {
    if (answer === null) return [];
    return isSchema(answer) ? [answer] : Object.values(answer.events ?? {});
  });
}

/** `/api/tasks/:id` as `/api/tasks/{id}`; a pattern behind the name is no business of a caller. */
function pathOf({ url }: ServedForm): string {
  return url.replaceAll(/:(\w+)(?:\([^)]*\))?/g, '{$1}');
}

function tagOf(form: ServedForm): string {
  const [first = '', second = ''] = pathOf(form)
    .split('/')
    .filter((part) => part !== '');
  if (first === 'sse') return 'live';
  return first === 'api' ? second : first.replace(/\..*$/, '');
}

/** `GET /api/tasks/:id/logs` as `getTasksIdLogs`. */
function idOf(form: ServedForm): string {
  const words = pathOf(form)
    .replace(/^\/api\//, '/')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return `${form.method.toLowerCase()}${name}`;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function sortKeys<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => compare(one, other)));
}
