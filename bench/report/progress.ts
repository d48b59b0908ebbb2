/* A line on the terminal that says what is being measured. In a file, each is a line of its own. */

/** A function that shows the next of `total` steps, or with null removes the line. */
export function showProgress(total: number): (step: string | null) => void {
  const begin = Date.now();
  const { isTTY } = process.stderr;
  let done = 0;
  return (step) => {
    if (isTTY) process.stderr.write("\r\x1b[K");
    if (step === null) return;
    done++;
    const seconds = Math.round((Date.now() - begin) / 1000);
    process.stderr.write(`${done} of ${total}, ${seconds} s: ${step}${isTTY ? "" : "\n"}`);
  };
}
