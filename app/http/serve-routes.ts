import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HTTPMethods,
  onRequestHookHandler,
} from 'fastify';
import type { AnswerOf, Given, RouteForm, ServedForm } from '../api/route-form.ts';
import type { Claim, Need } from '../domain/access.ts';
import type { AdminGate } from './admin-gate.ts';
import { admitCallers, checkClaim } from './admit.ts';
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
  /** Of a route that wants `deploy`: what a request is about; undefined where it is about nothing that there is. */
  readonly claims?: (given: Given<RouteForm>) => Claim | undefined;
  readonly answer: (
    given: Given<RouteForm>,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => unknown;
};

/**
 * A route for `serveRoutes`, but not one that has units deployed. What `answer` returns is answered with the first status of the form; a reply that was sent
 * with another one, or a refusal by `sendFailure`, is returned as it is.
 */
export function route<const F extends RouteForm & { readonly needs: Exclude<Need, 'deploy'> }>(
  form: F,
  answer: (given: Given<F>, request: FastifyRequest, reply: FastifyReply) => Returned<F>,
  before?: onRequestHookHandler,
): Route {
  // The schemas of the very form have read what is given.
  return { form, ...(before && { before }), answer: answer as unknown as Route['answer'] };
}

/**
 * The same for one that has units deployed: `claims` says which by what was given, and nothing is done where the caller may
 * not have all of them deployed.
 */
export function deployRoute<const F extends Omit<RouteForm, 'needs'>>(
  form: F,
  claims: (given: Given<F & Deploying>) => Claim | undefined,
  answer: (
    given: Given<F & Deploying>,
    request: FastifyRequest,
    reply: FastifyReply,
  ) => Returned<F & Deploying>,
): Route {
  return {
    form: { ...form, needs: 'deploy' },
    claims: claims as unknown as NonNullable<Route['claims']>,
    answer: answer as unknown as Route['answer'],
  };
}

type Deploying = { readonly needs: 'deploy' };

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
  /** Tells who calls; needed unless anybody may call all of them. */
  readonly gate?: AdminGate;
  /** See `Admission`. */
  readonly takesOldTokens?: true;
  /** What else their scope needs; bodies of JSON are read unless it says otherwise. */
  readonly prepare?: (scope: FastifyInstance) => void;
};

/**
 * Serves routes by their forms: lets in who may call, reads parameters, query and body by their schemas (in this order),
 * and refuses every other method of their paths.
 * @throws where a route wants something of its callers and nothing tells who they are.
 */
export function serveRoutes(
  app: FastifyInstance,
  group: RouteGroup,
  routes: readonly Route[],
): void {
  const { gate, takesOldTokens = false, prepare = acceptJsonBodies } = group;
  const urls = Map.groupBy(routes, ({ form }) => form.url);
  const actionOf = ({ routeOptions: { url } }: FastifyRequest) =>
    urls.get(url ?? '')?.[0]?.form.action ?? group.action;
  const isOpen = ({ form }: Route) => form.needs === 'anyone' || form.needs === 'hook';
  if (!gate && !routes.every(isOpen)) throw new Error(`${group.action}: nothing tells who calls`);
  void app.register((scope, _options, done) => {
    scope.addHook('onRequest', (request, _reply, next) => {
      request.note.action = actionOf(request);
      next();
    });
    if (gate) admitCallers(scope, { gate, takesOldTokens });
    prepare(scope);
    for (const one of routes) addRoute(scope, one, group.action);
    for (const [url, taken] of urls) {
      const methods: HTTPMethods[] = taken.map(({ form }) => form.method);
      // Scripts that ask in another way have their token where it is not looked for.
      const isForAll = takesOldTokens || taken.every(isOpen);
      refuseOtherMethods(scope, url, methods, isForAll ? 'anyone' : undefined);
    }
    done();
  });
}

function addRoute(
  scope: FastifyInstance,
  { form, before, claims, answer }: Route,
  action: string,
): void {
  const { method, url, needs, params, query, body } = form;
  const [first = '200'] = Object.keys(form.answers);
  const status = Number(first);
  scope.route({
    method,
    url,
    config: { needs, ...(!form.isAlias && { form: { action, ...form } }) },
    ...(before && { onRequest: before }),
    handler: (request, reply) => {
      const given = {
        params: params && readBy(params, request.params),
        query: query && readBy(query, request.query),
        body: body && readBy(body, request.body === undefined ? {} : request.body),
      } as Given<RouteForm>;
      const claim = claims?.(given);
      if (claim !== undefined) checkClaim(request, claim);
      reply.code(status);
      return answer(given, request, reply);
    },
  });
}
