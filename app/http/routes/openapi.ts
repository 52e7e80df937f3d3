import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { PROGRAM } from '../../../shared/config/program-version.ts';
import type { OpenApi } from '../../api/openapi.ts';
import { route, serveRoutes } from '../serve-routes.ts';

const documentView = z
  .looseObject({ openapi: z.string(), info: z.looseObject({ version: z.string() }) })
  .describe('An OpenAPI document.');

/**
 * `GET /openapi.json`, what this very process serves, and `GET /openapi.html`, the same for people. Open to everybody: there
 * is nothing in them of this host. Nothing of it is loaded or made before somebody asks.
 */
export function registerOpenApi(app: FastifyInstance): void {
  let document: Promise<OpenApi> | undefined;
  const describe = async () => {
    const { describeApi } = await import('../../api/openapi.ts');
    return describeApi(app.servedForms, PROGRAM.version);
  };
  let page: Promise<string> | undefined;
  serveRoutes(app, { action: 'openapi' }, [
    route(
      {
        method: 'GET',
        url: '/openapi.json',
        needs: 'anyone',
        summary: 'This description of the API.',
        answers: { 200: documentView },
      },
      async (_given, _request, reply) => {
        document ??= describe();
        return reply.send(await document);
      },
    ),
    route(
      {
        method: 'GET',
        url: '/openapi.html',
        needs: 'anyone',
        summary: 'This description as a page.',
        answers: { 200: { media: ['text/html'], about: 'A page without scripts.' } },
      },
      async (_given, _request, reply) => {
        document ??= describe();
        const { formatApiPage, PAGE_POLICY } = await import('../api-page.ts');
        page ??= document.then(formatApiPage);
        return reply
          .type('text/html; charset=utf-8')
          .header('content-security-policy', PAGE_POLICY)
          .send(await page);
      },
    ),
  ]);
}
