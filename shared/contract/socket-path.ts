/** What a `sockaddr_un` holds, without the zero at its end (unix(7)). */
export const SUN_PATH_MAX_BYTES = 107;
