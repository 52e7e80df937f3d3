import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HTTPMethods,
  onRequestHookHandler,
} from 'fastify';
import type { AnswerOf, Caller, Given, RouteForm, ServedForm } from '../api/route-form.ts';
import type { AdminGate } from './admin-gate.ts';
import { admitAdmins } from './admin-scope.ts';
import { refuseOtherMethods } from './method-not-allowed.ts';
import { acceptJsonBodies, readBy } from './read-json-body.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What is known of a route; absent on those that only refuse. */
    form?: ServedForm;
  }
}

/** A route: its form, and what answers it. */
export type Route = {
  readonly form: RouteForm;
  /** Asked before the body is read. */
  readonly before?: onRequestHookHandler;
  readonly answer: (
    given: Given<RouteForm>,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => unknown;
};

/**
 * A route for `serveRoutes`. What `answer` returns is answered with the first status of the form; a reply that was sent
 * with another one, or a refusal by `sendFailure`, is returned as it is.
 */
export function route<const F extends RouteForm>(
  form: F,
  answer: (given: Given<F>, request: FastifyRequest, reply: FastifyReply) => Returned<F>,
  before?: onRequestHookHandler,
): Route {
  // The schemas of the very form have read what is given.
  return { form, ...(before && { before }), answer: answer as unknown as Route['answer'] };
}

type Returned<F extends RouteForm> =
  | AnswerOf<F>
  | FastifyReply
  // What takes the answer into its own hands, as a stream does.
  | undefined
  | Promise<AnswerOf<F> | FastifyReply | undefined>;

/** What a group of routes has in common. */
export type RouteGroup = {
  /** The word under which their requests are recorded. */
  readonly action: string;
  /** How admins are told, where that is not as everywhere. */
  readonly admit?: typeof admitAdmins;
  /** Who may call them: admins where there is a gate. */
  readonly gate?: AdminGate;
  /** Who calls them where there is none. */
  readonly caller?: Exclude<Caller, 'admin'>;
  /** What else their scope needs; bodies of JSON are read unless it says otherwise. */
  readonly prepare?: (scope: FastifyInstance) => void;
};

/**
 * Serves routes by their forms: lets in who may call, reads parameters, query and body by their schemas (in this order),
 * and refuses every other method of their paths.
 */
export function serveRoutes(
  app: FastifyInstance,
  group: RouteGroup,
  routes: readonly Route[],
): void {
  const { gate, admit = admitAdmins, caller = 'anyone', prepare = acceptJsonBodies } = group;
  const urls = Map.groupBy(routes, ({ form }) => form.url);
  const actionOf = ({ routeOptions: { url } }: FastifyRequest) =>
    urls.get(url ?? '')?.[0]?.form.action ?? group.action;
  void app.register((scope, _options, done) => {
    if (gate) admit(scope, gate, actionOf);
    else {
      scope.addHook('onRequest', (request, _reply, next) => {
        request.note.action = actionOf(request);
        next();
      });
    }
    prepare(scope);
    for (const one of routes) addRoute(scope, one, gate ? 'admin' : caller, group.action);
    for (const [url, taken] of urls) {
      const methods: HTTPMethods[] = taken.map(({ form }) => form.method);
      refuseOtherMethods(scope, url, methods);
    }
    done();
  });
}

function addRoute(
  scope: FastifyInstance,
  { form, before, answer }: Route,
  caller: Caller,
  action: string,
): void {
  const { method, url, params, query, body } = form;
  const [first = '200'] = Object.keys(form.answers);
  const status = Number(first);
  scope.route({
    method,
    url,
    ...(!form.isAlias && { config: { form: { action, ...form, caller } } }),
    ...(before && { onRequest: before }),
    handler: (request, reply) => {
      const given = {
        params: params && readBy(params, request.params),
        query: query && readBy(query, request.query),
        body: body && readBy(body, request.body === undefined ? {} : request.body),
      };
      reply.code(status);
      return answer(given as Given<RouteForm>, request, reply);
    },
  });
}
