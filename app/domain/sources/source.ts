import type { ImageRepository } from '../image-reference.ts';
import type { UnreadableReason } from './unreadable-reasons.ts';

/** Who can send: each kind has its own way to say that an image was pushed. */
export type SourceKind =
  | 'github'
  | 'gitea'
  | 'gitlab'
  | 'distribution'
  | 'docker-hub'
  | 'harbor'
  | 'quay'
  | 'jfrog'
  | 'generic';

/** One repository that was pushed to. All of it is a hint: what runs is decided by asking the registry. */
export type Push = {
  readonly image: ImageRepository;
  /** At most 100, each a valid tag, none twice; often only one of those that were pushed. Only `generic` may name none. */
  readonly tags: readonly string[];
  /** Of the manifest that the tags mean now, where the sender names a valid one. */
  readonly digest?: string;
};

/** What a delivery says. */
export type HookReading =
  /** The sender tries whether anybody is there. */
  | { readonly kind: 'ping' }
  | {
      readonly kind: 'ignored';
      readonly reason: UnreadableReason;
      /** One line, at most 700 characters; foreign text in it is quoted. */
      readonly detail: string;
    }
  | {
      readonly kind: 'push';
      readonly action: string;
      /** 1 to 100; no two with the same image and digest. */
      readonly pushes: readonly Push[];
    }
  /** Something that builds images has succeeded, but names none: the one that the hook is set up for is meant. */
  | { readonly kind: 'success-without-image'; readonly action: string };

/** A reading that says itself which images it is about, if it is about any. */
export type ImageReading = Exclude<HookReading, { readonly kind: 'success-without-image' }>;

/** What authenticates a delivery. It is verified on the raw bytes before anything of them is believed. */
export type Scheme =
  /** A header holds the HMAC-SHA256 of the body: see `Source.signatureHeaders`. */
  | 'hmac-sha256'
  /** A header of the sender's own holds the secret itself: see `Source.signatureHeaders`. */
  | 'shared-token'
  /** The header Authorization, whole, as it was set up at the sender. */
  | 'authorization'
  /** The last part of the path, for senders that can do nothing else. */
  | 'path-secret'
  /** `webhook-id`, `webhook-timestamp` and `webhook-signature` of https://www.standardwebhooks.com. */
  | 'standard-webhooks';

/** A header by which a delivery is authenticated. */
export type SignatureHeader = {
  /** In lower case. */
  readonly name: string;
  readonly scheme: 'hmac-sha256' | 'shared-token';
  /** What stands before the hex digits or the token; empty where nothing does. */
  readonly prefix: string;
};

/** A header by its name in lower case. */
export type HeaderLookup = (name: string) => string | undefined;

/** What the owner of a hook has said about its sender. */
export type SourceOptions = {
  /**
   * `host[:port]`, with a path below it where all images have one (`acme.jfrog.io/docker-local`): how the host that runs the
   * units calls the registry. What the payload says of it does not count then. See `isRegistryPrefix`.
   */
  readonly registry?: string;
};

/** How one kind of sender is understood. Every function is total and pure: any JSON and any headers, nothing is thrown. */
export type Source = {
  readonly kind: SourceKind;
  /** For people: the sender's own name. */
  readonly title: string;
  /** What this sender can do to authenticate itself; the first is the best. */
  readonly schemes: readonly [Scheme, ...Scheme[]];
  /** Empty where neither `hmac-sha256` nor `shared-token` is among the schemes. The first that is sent counts. */
  readonly signatureHeaders: readonly SignatureHeader[];
  /** False where only a secret in the path can be had: then a digest has to be confirmed at the registry. */
  readonly isSigned: boolean;
  /** `required`: without it nothing can be read; `unused`: the sender has one registry only, or names no image. */
  readonly registry: 'required' | 'optional' | 'unused';
  /** How a form is to be taken (`payload=…`); absent where the sender has none. `payload`: the HMAC is that of the field. */
  readonly form?: 'body' | 'payload';
  /**
   * What the sender calls the delivery, the same when it repeats it; at most 200 characters. Undefined where it has no name
   * for it and two deliveries of two pushes may have the same bytes, so that a name made of them would lose the second.
   */
  readDeliveryId(headers: HeaderLookup, payload: unknown, bodySha256: string): string | undefined;
  /** What the sender calls the event; empty where it does not say, at most 200 characters on one line. */
  readEvent(headers: HeaderLookup, payload: unknown): string;
  read(headers: HeaderLookup, payload: unknown, options: SourceOptions): HookReading;
};
