import type { FastifyInstance } from 'fastify';
import type { Outcome } from '../../../shared/contract/outcome.ts';
import {
  type ImageLockReleaseView,
  type ImageLocksView,
  imageLockParams,
  imageLockReleaseView,
  imageLocksView,
} from '../../api/limit-views.ts';
import type { AdminGate } from '../admin-gate.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly gate: AdminGate;
  readonly view: () => ImageLocksView;
  readonly release: (name: string) => Outcome<ImageLockReleaseView>;
};

/** `/api/image-locks`: which images are held, and how often each was deployed. */
export function registerImageLocksApi(app: FastifyInstance, { gate, view, release }: Parts): void {
  serveRoutes(app, { action: 'image-locks-api', gate }, [
    route(
      {
        method: 'GET',
        url: '/api/image-locks',
        needs: 'read',
        summary: 'Images that are being deployed, and how often each was.',
        answers: { 200: imageLocksView },
      },
      () => view(),
    ),
    route(
      {
        method: 'DELETE',
        url: '/api/image-locks/:name',
        needs: 'admin',
        summary: 'Lets an image be deployed although it was so often.',
        about:
          'The name is a bucket of the list, or the image itself. What a running task holds it goes on to hold: stop the task to end that.',
        params: imageLockParams,
        answers: { 200: imageLockReleaseView },
        refusals: ['IMAGE_LOCK_NOT_FOUND', 'IMAGE_LOCK_HELD'],
      },
      ({ params: { name } }, request, reply) => {
        const released = release(name);
        if (!released.ok) return sendFailure(request, reply, released.failure);
        const { bucket, rows, begun } = released.value;
        request.note.meta = { bucket, rows, begun };
        return released.value;
      },
    ),
  ]);
}
