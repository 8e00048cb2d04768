/** Others came in between again and again; the request can be made again. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
}

const MAX_ATTEMPTS = 20;

/**
 * Reads, decides and writes again until nobody has come in between. `step` gives undefined when somebody has.
 *
 * @throws ContentionError
 */
export async function untilDone<Result>(step: (attempt: number) => Promise<Result | undefined>): Promise<Result> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const result = await step(attempt);
    if (result !== undefined) return result;
  }
  throw new ContentionError(`others came in between ${MAX_ATTEMPTS} times`);
}
