/** What a code means: the HTTP status it is answered with, one sentence, and what to do about it. */
export type ErrorMeaning = {
  readonly status: number;
  readonly sentence: string;
  readonly hint: string;
};
