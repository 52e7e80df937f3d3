import { DISTRIBUTION } from './distribution.ts';
import { DOCKER_HUB } from './docker-hub.ts';
import { GENERIC } from './generic.ts';
import { GITEA } from './gitea.ts';
import { GITHUB } from './github.ts';
import { GITLAB } from './gitlab.ts';
import { HARBOR } from './harbor.ts';
import { JFROG } from './jfrog.ts';
import { QUAY } from './quay.ts';
import type { Scheme, Source, SourceKind } from './source.ts';

/** Every kind of sender that is understood. */
export const SOURCES: Readonly<Record<SourceKind, Source>> = {
  github: GITHUB,
  gitea: GITEA,
  gitlab: GITLAB,
  distribution: DISTRIBUTION,
  'docker-hub': DOCKER_HUB,
  harbor: HARBOR,
  quay: QUAY,
  jfrog: JFROG,
  generic: GENERIC,
};

/** Every kind of sender, by name. */
export const SOURCE_KINDS = Object.keys(SOURCES) as [SourceKind, ...SourceKind[]];

/** Every way to prove oneself. */
export const SCHEMES = [...new Set(Object.values(SOURCES).flatMap(({ schemes }) => schemes))] as [
  Scheme,
  ...Scheme[],
];
