/** Who numbers deliveries: a kind of sender on the path that is a unit's own, else the hook. */
export type DeliverySender = { readonly source: string; readonly hook?: string | undefined };

/** What one delivery to one unit is known by. Only the id, which is the sender's, may have line breaks: it stands last. */
export function deliveryKey(
  { source, hook }: DeliverySender,
  delivery: string,
  unit: string,
): string {
  return `${hook === undefined ? source : `hook ${hook}`}\n${unit}\n${delivery}`;
}
