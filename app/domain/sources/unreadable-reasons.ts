/** Why what a sender says means nothing to any unit: the closed list, one sentence each. */
export const UNREADABLE_REASONS = {
  'event-not-handled': 'Events of this kind do not say that an image was pushed.',
  'action-not-handled': 'The action is none by which an image comes to be pushed.',
  'package-type-not-container': 'The package is not a container image.',
  'media-type-not-image':
    'What was pushed is a layer or another file, not the manifest of an image.',
  'attached-artifact':
    'The tag is that of something attached to an image: a signature, an attestation, a list of such things.',
  'untagged-child': 'The manifest has no tag: it is a part of an image whose own event follows.',
  'not-successful': 'The pipeline or job has not succeeded, so there is nothing new to run.',
  'registry-not-set':
    'The sender does not say at which registry its images lie, and the hook does not either.',
  'image-unreadable': 'The body does not say which image was pushed.',
} as const;

/** One of them. */
export type UnreadableReason = keyof typeof UNREADABLE_REASONS;
