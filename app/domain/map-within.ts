/** Does the same to each item, to at most `atOnce` of them at a time; the results in the order of the items. */
export async function mapWithin<T, R>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const lane = async () => {
    // One iterator for all lanes: each takes what no other has taken.
    for (const [index, item] of waiting) results[index] = await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}
