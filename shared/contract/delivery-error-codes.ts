import type { ErrorMeaning } from './error-meaning.ts';

/** Of deliveries that came in before. */
export const DELIVERY_ERRORS = {
  DELIVERY_NOT_FOUND: {
    status: 404,
    sentence: 'There is no delivery with this id.',
    hint: 'GET /api/deliveries lists them; they are kept as PODUP_DELIVERY_RETENTION says.',
  },
  DELIVERY_NOT_REPLAYABLE: {
    status: 409,
    sentence: 'The delivery cannot be done anew.',
    hint: 'The detail says why. Have its sender send it again, or deploy the unit by hand.',
  },
} as const satisfies Record<string, ErrorMeaning>;
