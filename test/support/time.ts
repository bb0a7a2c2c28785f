// Moves the time of this process, which the library and the service read from `Date.now`.

/**
 * Runs `story` with a clock that it can move on; afterwards the time is the real one again.
 * @param story `pass` moves the clock on by so many seconds
 */
export async function withMovingTime<T>(story: (pass: (seconds: number) => void) => Promise<T>): Promise<T> {
  const { now } = Date;
  let shiftMs = 0;
  Date.now = () => now() + shiftMs;
  try {
    return await story((seconds) => {
      shiftMs += seconds * 1000;
    });
  } finally {
    Date.now = now;
  }
}
